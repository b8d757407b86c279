"""Are 64 greedy replies of up to 24 tokens written at least 8 times as fast as one by one, and 1.3 times as fast as in
the best batches of transformers' `generate`?

    .venv/bin/python benchmarks/generation.py
"""

from __future__ import annotations

import statistics

from contest import THREADS, Contestant, alternate, options, quicker, sweep
from environments import OURS, packages, peers
from findings import Finding, write
from limit import YARDSTICK

from everlearn.model.cache import DEFAULT_MODEL, model_directory

JOB = {"count": 64, "limit": 24, "threads": THREADS}


def batched(batch: int, **more: str) -> Contestant:
    """transformers with batches of one size."""
    job = {**JOB, "model": str(model_directory(DEFAULT_MODEL)), "batch": batch, "more": more}
    name = ", ".join([f"transformers, batches of {batch}", *(f"{key}={value}" for key, value in more.items())])
    return Contestant(name, "transformers_generation.py", peers(), job)


def main() -> None:
    """Sweep, take turns, write."""
    rounds = options().rounds
    us = Contestant("everlearn", "everlearn_generation.py", OURS, {**JOB, "model": DEFAULT_MODEL})
    single = batched(1)
    swept = sweep([*map(batched, (8, 16, 32, 64)), batched(64, cache_implementation="static")], YARDSTICK)
    rival = swept.best
    turns = alternate([us, single, rival], rounds)
    mine = turns[us.name]
    alike = [
        one == other for one, other in zip(mine[0].more["texts"], turns[single.name][0].more["texts"], strict=True)
    ]
    tokens = {name: taken[0].more["tokens"] for name, taken in turns.items()}
    findings = [
        Finding("replies a second", single.name, quicker(mine, turns[single.name]), 8.0),
        Finding("replies a second", rival.name, quicker(mine, turns[rival.name]), 1.3),
    ]
    notes: dict[str, object] = {
        "tokens written": tokens,
        **swept.notes,
        "replies equal to those one by one": f"{sum(alike)} of {len(alike)} (bf16 rounds differently in batches)",
        "replies a second": {
            name: round(statistics.median(t.speed for t in taken), 2) for name, taken in turns.items()
        },
    }
    assert max(tokens.values()) <= 1.1 * min(tokens.values()), f"they wrote very different amounts: {tokens}"
    assert sum(alike) >= 0.5 * len(alike), f"only {sum(alike)} of {len(alike)} replies are those of transformers"
    write("Generation, 64 greedy replies", findings, notes, packages())


if __name__ == "__main__":
    main()
