"""The tiny model and a few examples in; one stage learnt by a method, out."""

from __future__ import annotations

import itertools

import pytest
import torch

from everlearn.records import Example, Message
from everlearn.stacking import method_called
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Run

QUICK = {"epochs": 3, "least_steps": 1, "rows_per_step": 4, "learning_rate": 3e-3}


def pairs(word: str, count: int = 8, first: str = "A") -> list[Example]:
    """Examples that the tiny model can learn: the answers are letters from `first` on."""
    return [
        Example((Message("user", f"{word} {number}?"), Message("assistant", chr(ord(first) + number), learn=True)))
        for number in range(count)
    ]


@pytest.fixture
def learn(tmp_path):
    """Learn one stage; returns the memory."""
    torch.set_num_threads(1)
    count = itertools.count()

    def stage(model, method, examples, memory=None, meter=None, **settings):
        meter = meter or Meter(1)
        run = Run(0, meter, Checkpoints(tmp_path / f"stage-{next(count)}", meter, None))
        kind = method_called(method) if isinstance(method, str) else method
        return kind(**{**QUICK, **settings}).learn(model, examples, memory or {}, run)

    return stage


@pytest.fixture
def nats():
    """Mean nats of a model on examples."""
    return lambda model, examples: sum(one.nll for one in model.force([model.chat.example(e) for e in examples]))
