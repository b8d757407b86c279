"""What is scored in; our scoring beside lm-eval's and the machine's limit out: for the scoring scripts."""

from __future__ import annotations

import statistics
from typing import Any

from contest import THREADS, Contestant, alternate, best, once, quicker, share_of_limit
from environments import OURS, peers
from findings import Finding, write
from training import options

from everlearn.model.cache import DEFAULT_MODEL, model_directory

SAME = 0.01
"""How far the sums of log-probabilities of both may differ, relative to them: both compute in bf16."""


def compare(question: str, items: dict[str, Any], batches: list[int], goal: float) -> None:
    """Sweep lm-eval, take turns with the best of it, and write what was found."""
    rounds = options().rounds
    folder = str(model_directory(DEFAULT_MODEL))
    us = Contestant("everlearn", "everlearn_scoring.py", OURS, {**items, "model": DEFAULT_MODEL, "threads": THREADS})
    swept = [
        Contestant(
            f"lm-eval, {dtype}, batches of {batch}",
            "lm_eval_scoring.py",
            peers(),
            {**items, "model": folder, "threads": THREADS, "dtype": dtype, "batch": batch},
        )
        for dtype, batch in [*(("bfloat16", batch) for batch in batches), ("float32", batches[-2])]
    ]
    rival, speeds = best(swept)
    first = once(us)
    job = {"model": folder, "threads": THREADS, "kind": "reading"}
    # the line of tokens comes in several batches, and so do the products
    parts = max(1, round(first.more["tokens"] / 2048))
    job |= {"tokens": first.more["tokens"] / parts, "predictions": first.more["targets"] / parts}
    limit = Contestant("matrix products", "matrix_products.py", OURS, job)
    turns = alternate([us, rival], rounds)
    near = alternate([us, limit], 2 * rounds)
    mine, theirs = turns[us.name], turns[rival.name]
    apart = abs(mine[0].more["logprob"] / theirs[0].more["logprob"] - 1)
    assert apart < SAME, f"the two disagree about the log-probabilities by {apart:.1%}"
    right = mine[0].more["right"], theirs[0].more["right"]
    assert abs(right[0] - right[1]) <= 0.05 * mine[0].units, (
        f"one finds {right[0]} replies the most likely, one {right[1]}"
    )
    findings = [
        Finding("requests a second", rival.name, quicker(mine, theirs), goal),
        Finding("share of the limit", "bare matrix products", share_of_limit(*near.values()), 0.8),
    ]
    notes: dict[str, object] = {
        "swept, requests a second": {name: round(speed, 2) for name, speed in speeds.items()},
        "tokens computed": mine[0].more["tokens"],
        "replies found the most likely": f"{right[0]} by everlearn, {right[1]} by lm-eval",
        "sums of log-probabilities differ by": f"{apart:.2%}",
        "requests a second": {
            name: round(statistics.median(t.speed for t in taken), 2) for name, taken in turns.items()
        },
    }
    write(question, findings, notes)
