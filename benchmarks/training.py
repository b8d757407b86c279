"""What is trained and how in; our training steps beside TRL's and the machine's limit out: for the training scripts."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from typing import Any

from contest import THREADS, Contestant, alternate, best, once, peak_ratio, quicker, share_of_limit
from environments import OURS, peers
from findings import Finding, write

from everlearn.model.cache import DEFAULT_MODEL, model_directory


def options() -> argparse.Namespace:
    """How many rounds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant")
    return parser.parse_args()


def ours(items: dict[str, Any], weights: str, rows: int, steps: int) -> Contestant:
    """Sequential fine-tuning by everlearn."""
    settings = {"weights": weights, "rank": 16, "rows_per_step": rows, "epochs": 1000, "learning_rate": 1e-5}
    job = {**items, "model": DEFAULT_MODEL, "threads": THREADS, "steps": steps}
    return Contestant("everlearn", "everlearn_training.py", OURS, {**job, "method": "finetune", "settings": settings})


def trl(
    items: dict[str, Any], weights: str, rows: int, steps: int, dtype: str, micro: int, **more: object
) -> Contestant:
    """TRL with fp32 weights under bf16 autocast, or with bf16 weights; `rows` a step in batches of `micro`."""
    kind = "fp32 weights, bf16 autocast" if dtype == "float32" else "bf16 weights"
    name = ", ".join([f"TRL, {kind}, batches of {micro}", *(f"{key}={value}" for key, value in more.items())])
    job = {**items, "model": str(model_directory(DEFAULT_MODEL)), "threads": THREADS, "steps": steps}
    job |= {"weights": weights, "rows_per_step": rows, "dtype": dtype, "micro": micro, "more": more}
    return Contestant(name, "trl_training.py", peers(), job)


def short_chats(question: str, weights: str) -> None:
    """One step of 32 short chats a turn; TRL swept over its weights' type, its batches, and chats of like length."""
    items, rows, steps = {"items": "chats", "count": 512}, 32, 1
    alike = {"train_sampling_strategy": "group_by_length"}
    settings = [("float32", 4, {}), ("float32", 8, {}), *(("bfloat16", micro, {}) for micro in (2, 4, 8))]
    settings += [("bfloat16", micro, alike) for micro in (4, 8, 16)]
    swept = [trl(items, weights, rows, steps, dtype, micro, **more) for dtype, micro, more in settings]
    compare(question, ours(items, weights, rows, steps), swept, 3.0, 0.6)


def compare(question: str, us: Contestant, swept: Sequence[Contestant], goal: float, memory: float | None) -> None:
    """Sweep the peer, take turns with the best of it, and write what was found."""
    rounds = options().rounds
    rival, speeds = best(swept)
    first = once(us)
    sizes = {"tokens": first.more["tokens"], "predictions": first.more["predictions"]}
    kind = "full" if us.job["settings"]["weights"] == "full" else "lora"
    job = {"model": str(model_directory(DEFAULT_MODEL)), "threads": THREADS, "kind": kind, **sizes}
    limit = Contestant("matrix products", "matrix_products.py", OURS, job)
    exact = next((peer for peer in swept if peer.job["dtype"] == "float32"), rival)
    turns = alternate([us, rival] + ([exact] if exact.name != rival.name else []), rounds)
    mine = turns[us.name]
    targets = {name: round(taken[0].more["targets"], 2) for name, taken in turns.items()}
    # TRL also learns the line break behind an answer
    assert max(targets.values()) <= min(targets.values()) + 1.01, f"they learn different things: {targets}"
    near = alternate([us, limit], 2 * rounds)
    findings = [
        Finding("examples a second", rival.name, quicker(mine, turns[rival.name]), goal),
        Finding("share of the limit", "bare matrix products", share_of_limit(*near.values()), 0.7),
    ]
    if memory:
        findings += [
            Finding("peak memory", peer.name, peak_ratio(mine, turns[peer.name]), memory, True)
            for peer in {peer.name: peer for peer in (exact, rival)}.values()
        ]
    notes: dict[str, object] = {
        "swept, examples a second": {name: round(speed, 2) for name, speed in speeds.items()},
        "tokens of an example that are learnt": targets,
        "loss of the first step, each with rows of its own": {
            name: round(taken[0].more["loss"], 2) for name, taken in turns.items()
        },
        "tokens a step": round(statistics.median(turn.more["tokens"] for turn in mine)),
        "examples a second": {
            name: round(statistics.median(t.speed for t in taken), 2) for name, taken in turns.items()
        },
        "peak memory, GB": {name: round(taken[-1].peak / 1e9, 2) for name, taken in turns.items()},
    }
    write(question, findings, notes)
