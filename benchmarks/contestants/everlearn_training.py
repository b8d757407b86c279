"""Chats or documents in, optimiser steps of everlearn's training loop out, some of them in each turn."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from contestants.operations import learning
from contestants.turns import JOB, Turns
from items import documents, short_chats

from everlearn import plugins
from everlearn.methods.contract import Gradient, Method
from everlearn.model.kernels.library import library
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, Message
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Progress, Run


def examples() -> list[Example]:
    """What the job asks for."""
    if JOB["items"] == "documents":
        return [Example((Message("text", text, True),)) for text in documents(JOB["count"], JOB["words"])]
    return [
        Example((Message("user", chat.prompt), Message("assistant", chat.reply, True)))
        for chat in short_chats(JOB["count"])
    ]


def main() -> None:
    """Train until nobody waits for another turn."""
    torch.set_num_threads(JOB["threads"])
    turns = Turns()
    assert torch.cuda.is_available() or library(), "everlearn would compute by plain torch: install a C compiler"
    model = LanguageModel.load(JOB["model"])
    method = plugins.find("methods", JOB["method"], Method)(**JOB["settings"])
    assert isinstance(method, Gradient)
    meter = Meter(model.parameters)
    items = examples()
    rows = [model.chat.example(item) for item in items]
    targets = sum(row.targets for row in rows) / len(rows) * method.rows_per_step * JOB["steps"]
    trained = {"new", "replayed", "synthetic"}
    opening = sum(forced.nll * row.targets for forced, row in zip(model.force(rows[:16]), rows, strict=False)) / 16
    before = 0

    def tell(progress: Progress) -> None:
        nonlocal before
        if progress.doing not in {"learning", "reading the lesson"} or progress.step % JOB["steps"]:
            return
        tokens = sum(count for kind, count in meter.tokens.items() if kind in trained)
        if progress.step:
            full = method.weights == "full"
            turns.done(
                method.rows_per_step * JOB["steps"],
                learning(model.network, tokens - before, targets, full),
                tokens=(tokens - before) / JOB["steps"],
                targets=targets / JOB["steps"] / method.rows_per_step,
                predictions=targets / JOB["steps"],
                opening=opening,
            )
        before = tokens
        turns.wait()

    with tempfile.TemporaryDirectory() as scratch:
        run = Run(0, meter, Checkpoints(Path(scratch), meter, every_seconds=1e9), tell)
        method.learn(model, items, {}, run)


main()
