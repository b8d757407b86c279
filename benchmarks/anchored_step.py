"""Does a step that is held to cached beliefs cost at most 1.5 times a plain one?

    .venv/bin/python benchmarks/anchored_step.py

The `anchored` method's own settings, 8 new chats a step: with all weights and one anchor's KL a step, and with its
default, new neurons and their penalties, beside `finetune` of the same weights.
"""

from __future__ import annotations

import statistics

from contest import THREADS, Contestant, alternate, options, ratio
from environments import OURS
from findings import Finding, write

from everlearn.model.cache import DEFAULT_MODEL

JOB = {"items": "chats", "count": 256, "model": DEFAULT_MODEL, "threads": THREADS, "steps": 4}


def contestant(method: str, weights: str) -> Contestant:
    """One method at 8 chats a step."""
    settings = {"weights": weights, "rows_per_step": 8, "epochs": 1000, "learning_rate": 1e-5, "opening": 2.0}
    return Contestant(
        f"{method}, {weights}", "everlearn_training.py", OURS, {**JOB, "method": method, "settings": settings}
    )


def main() -> None:
    """Take turns and write."""
    rounds = options().rounds
    findings, speeds = [], {}
    for weights in ("full", "neurons"):
        turns = alternate([contestant("anchored", weights), contestant("finetune", weights)], rounds)
        held, plain = turns.values()
        each = ratio([turn.seconds for turn in held], [turn.seconds for turn in plain])
        findings.append(Finding("time of a step", f"finetune, {weights}", each, 1.5, True))
        speeds |= {name: round(statistics.median(t.speed for t in taken), 2) for name, taken in turns.items()}
    write("A step of `anchored`", findings, {"examples a second": speeds})


if __name__ == "__main__":
    main()
