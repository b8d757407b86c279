"""Strings in, optimiser steps of everlearn's `replay` on a small model out, some of them in each turn."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from contestants.small_items import strings
from contestants.turns import JOB, Turns

from everlearn.methods.replay import Replay
from everlearn.model.kernels.library import library
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, Message, Origin
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Progress, Run


def main() -> None:
    """Train until nobody waits for another turn."""
    torch.set_num_threads(JOB["threads"])
    turns = Turns()
    assert torch.cuda.is_available() or library(), "everlearn would compute by plain torch: install a C compiler"
    model = LanguageModel.load(JOB["model"])
    examples = [
        Example((Message("user", text), Message("assistant", label, True)), origin=Origin("strings", line))
        for line, (text, label) in enumerate(strings(JOB["count"]), 1)
    ]
    half = len(examples) // 2
    method = Replay(rows_per_step=JOB["rows"], old_per_step=JOB["rows"], epochs=10_000, learning_rate=1e-4)

    def tell(progress: Progress) -> None:
        if progress.doing in {"learning", "reading the lesson"} and progress.step % JOB["steps"] == 0:
            if progress.step:
                turns.done(JOB["rows"] * JOB["steps"])
            turns.wait()

    with tempfile.TemporaryDirectory() as scratch:
        meter = Meter(model.parameters)
        run = Run(0, meter, Checkpoints(Path(scratch), meter, every_seconds=1e9), tell)
        method.learn(model, examples[:half], {"examples": examples[half:]}, run)


main()
