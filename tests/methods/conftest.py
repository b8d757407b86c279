"""The tiny model and a few examples in; one stage learnt by a method, out."""

from __future__ import annotations

import itertools

import pytest
import torch

from everlearn.methods import _rewarded
from everlearn.model.chat import Row
from everlearn.records import Example, Message
from everlearn.stacking import method_called
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Run
from everlearn.train.sampling import Sampled

QUICK = {"epochs": 3, "least_steps": 1, "rows_per_step": 4, "learning_rate": 3e-3}


def pairs(word: str, count: int = 8, first: str = "A") -> list[Example]:
    """Examples that the tiny model can learn: the answers are letters from `first` on."""
    return [
        Example((Message("user", f"{word} {number}?"), Message("assistant", chr(ord(first) + number), learn=True)))
        for number in range(count)
    ]


def text(content: str) -> Example:
    """A text, which asks nothing."""
    return Example((Message("text", content, learn=True),))


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


def say(model, prompt, answer: str, finished: bool = True) -> Sampled:
    """An answer as if the model had written it to its prompt number 0."""
    ids = tuple(model.tokenizer.encode(answer, add_special_tokens=False))
    said = (*ids, model.chat.end) if finished else ids
    row = Row((*prompt, *said), (*[False] * len(prompt), *[True] * len(said)))
    return Sampled(0, row, ids, finished)


@pytest.fixture
def answers(monkeypatch):
    """Put answers, by the number of the prompt, into the mouths of models that a method asks; returns the calls."""

    def put(said, module=_rewarded, finished=True):
        calls = []

        def sample(model, prompts, limits, seed, meter, *, temperature=1.0, each=1):
            calls.append((prompts, seed))
            return [
                say(model, prompt, words, finished)._replace(prompt=number)
                for number, prompt in enumerate(prompts)
                for words in said(number)
            ]

        monkeypatch.setattr(module, "sample", sample)
        return calls

    return put
