"""What is scored in; our scoring beside lm-eval's and bare matrix products out: for the scoring scripts."""

from __future__ import annotations

import statistics
from typing import Any

from contest import THREADS, Contestant, alternate, best, once, options, quicker
from environments import OURS, packages, peers
from findings import Finding, write
from limit import YARDSTICK, products, rates, share

from everlearn.model.cache import DEFAULT_MODEL, model_directory

SAME = 0.05
"""How far a request's log-probability may differ, relative to it, or in nats if it is small: both compute in bf16."""


def compare(question: str, items: dict[str, Any], batches: list[int], goal: float) -> None:
    """Sweep lm-eval, take turns with the best of it, and write what was found."""
    rounds = options().rounds
    folder = str(model_directory(DEFAULT_MODEL))
    us = Contestant("everlearn", "everlearn_scoring.py", OURS, {**items, "model": DEFAULT_MODEL, "threads": THREADS})
    swept = [
        Contestant(
            f"lm-eval (HFLM), {dtype}, batches of {batch}",
            "lm_eval_scoring.py",
            peers(),
            {**items, "model": folder, "threads": THREADS, "dtype": dtype, "batch": batch},
        )
        for dtype, batch in [*(("bfloat16", batch) for batch in batches), ("float32", batches[-2])]
    ]
    rival, speeds = best(swept, YARDSTICK)
    first = once(us)
    # the line of tokens comes in several batches, and so do the products
    parts = max(1, round(first.more["tokens"] / 2048))
    bare = products("reading", first.more["tokens"] / parts, first.more["targets"] / parts)
    turns = alternate([us, rival], rounds)
    near = alternate([us, bare], 3 * rounds)
    mine, theirs = turns[us.name], turns[rival.name]
    pairs = list(zip(mine[0].more["logprobs"], theirs[0].more["logprobs"], strict=True))
    apart = max(abs(one - other) / max(1.0, abs(other)) for one, other in pairs)
    right = mine[0].more["right"], theirs[0].more["right"]
    findings = [
        Finding("requests a second", rival.name, quicker(mine, theirs), goal),
        Finding("share of the limit", "bare matrix products", share(*near.values()), 0.8),
    ]
    notes: dict[str, object] = {
        "swept, speed relative to that of some matrix products beside it": speeds,
        "tokens computed": mine[0].more["tokens"],
        "replies found the most likely": f"{right[0]} by everlearn, {right[1]} by lm-eval",
        "log-probabilities of a request differ by at most": f"{apart:.2%}",
        "10¹² operations a second, at best": rates(near),
        "requests a second": {
            name: round(statistics.median(t.speed for t in taken), 2) for name, taken in turns.items()
        },
    }
    assert apart < SAME, f"the two disagree about a log-probability by {apart:.1%}"
    assert abs(right[0] - right[1]) <= 0.05 * mine[0].units, f"{right[0]} and {right[1]} replies are the most likely"
    write(question, findings, notes, packages())
