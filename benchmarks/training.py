"""What is trained and how in; our steps beside TRL's and bare matrix products out: for the training scripts."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from contest import MODEL, THREADS, Contestant, Turn, alternate, best_of, once, options, peak_ratio, quicker, sweep
from environments import OURS, packages, peers
from findings import Finding, write
from limit import LIMIT, YARDSTICK, products, rates, share

from everlearn.model.cache import model_directory

SAME = 1.02
"""How many times as large a loss of the same examples may be: both compute in bf16."""

PACKED = {"packing": True, "packing_strategy": "bfd"}
"""Whole examples in rows without padding; transformers keeps them apart by their positions."""


def ours(items: dict[str, Any], weights: str, rows: int, steps: int) -> Contestant:
    """Sequential fine-tuning by everlearn."""
    settings = {"weights": weights, "rank": 16, "rows_per_step": rows, "epochs": 1000, "learning_rate": 1e-5}
    job = {**items, "model": MODEL, "threads": THREADS, "steps": steps}
    return Contestant("everlearn", "everlearn_training.py", OURS, {**job, "method": "finetune", "settings": settings})


def trl(
    items: dict[str, Any], weights: str, rows: int, dtype: str, micro: int, autocast: bool = False, **more: object
) -> Contestant:
    """One step a turn of `rows` rows in batches of `micro`, with weights of a type, under bf16 autocast or not."""
    kind = {"float32": "fp32", "bfloat16": "bf16"}[dtype] + " weights" + (" under autocast" if autocast else "")
    name = ", ".join([f"TRL, {kind}, batches of {micro}", *(f"{key}={value}" for key, value in more.items())])
    job = {**items, "model": str(model_directory(MODEL)), "threads": THREADS, "steps": 1}
    job |= {"weights": weights, "rows_per_step": rows, "dtype": dtype, "autocast": autocast, "micro": micro}
    return Contestant(name, "trl_training.py", peers(), {**job, "more": more})


def short_chats(question: str, weights: str) -> None:
    """One step of 32 short chats a turn; TRL swept over its weights' type, batches, lengths, padding and packing. On a
    GPU it is another question, with another goal."""
    goal, memory = 3.0, 0.6
    if torch.cuda.is_available():
        question, goal, memory = f"{question}, on a GPU", 2.0, None
    items, rows = {"items": "chats", "count": 512}, 32
    free, alike = {"padding_free": True, "max_length": None}, {"train_sampling_strategy": "group_by_length"}
    if torch.cuda.is_available():
        swept = [
            trl(items, weights, rows, "float32", rows, autocast=True),
            trl(items, weights, rows, "bfloat16", rows),
            trl(items, weights, rows, "bfloat16", rows, **free),
            trl(items, weights, rows, "bfloat16", rows, use_liger_kernel=True),  # if liger-kernel is installed there
            trl(items, weights, 2, "bfloat16", 2, **PACKED, max_length=512),  # about as many examples
        ]
    else:
        swept = [
            trl(items, weights, rows, "float32", 4, autocast=True),
            trl(items, weights, rows, "float32", 4, autocast=True, **free),
            trl(items, weights, rows, "bfloat16", 8, autocast=True),
            *(trl(items, weights, rows, "bfloat16", micro) for micro in (1, 2, 4, 32)),
            trl(items, weights, rows, "bfloat16", 8, **alike),
            *(trl(items, weights, rows, "bfloat16", micro, **free) for micro in (2, 4, 8, 32)),
            *(trl(items, weights, 4, "bfloat16", micro, **PACKED, max_length=512) for micro in (1, 4)),
        ]
    compare(question, ours(items, weights, rows, 1), swept, goal, memory)


def compare(question: str, us: Contestant, swept: Sequence[Contestant], goal: float, memory: float | None) -> None:
    """Sweep the peer, take turns with the best of it, and write what was found."""
    rounds = options().rounds
    found = sweep(swept, YARDSTICK)
    rival = found.best
    first = once(us)
    kind = "full" if us.job["settings"]["weights"] == "full" else "lora"
    bare = products(kind, first.more["tokens"], first.more["predictions"])
    turns = alternate([us, rival], rounds)
    mine = turns[us.name]
    near = alternate([us, bare], 3 * rounds)
    findings = [
        Finding("examples a second", rival.name, quicker(mine, turns[rival.name]), goal),
        Finding(LIMIT, "bare matrix products", share(*near.values()), 0.7),
    ]
    peaks: dict[str, float] = {}
    if memory:
        exact = best_of([peer for peer in swept if peer.job["dtype"] == "float32"], found.relative)
        modest = {
            peer.name: replace(peer, keep_memory=False) for peer in (exact, thrifty(exact), rival, thrifty(rival))
        }
        long = alternate([us, *modest.values()], rounds)
        findings += [
            Finding("peak memory", name, peak_ratio(long[us.name], long[name]), memory, True) for name in modest
        ]
        peaks = {name: round(taken[-1].peak / 1e9, 2) for name, taken in long.items()}
    targets = {name: round(taken[0].more["targets"], 2) for name, taken in turns.items()}
    opening = {name: round(taken[0].more["opening"], 2) for name, taken in turns.items()}
    notes: dict[str, object] = {
        **found.notes,
        "tokens of an example that are learnt": targets,
        "nats of the first 16 examples before training, without that line break": {
            name: nats for name, nats in opening.items() if nats
        },
        "tokens a step": round(statistics.median(turn.more["tokens"] for turn in mine)),
        "examples a second": _medians(turns, lambda turn: turn.speed),
        "10¹² operations a second, at best": rates(near),
        "peak memory, GB": peaks,
    }
    # TRL also learns the line break behind an answer
    assert max(targets.values()) <= min(targets.values()) + 1.01, f"they learn different things: {targets}"
    known = [nats for nats in opening.values() if nats]  # a packed peer's rows are not single examples: nothing to tell
    assert max(known) <= SAME * min(known), f"they begin with different losses: {opening}"
    write(question, findings, notes, packages())


def thrifty(peer: Contestant) -> Contestant:
    """TRL at the settings that take least memory, however long it takes: one row at a time, states computed again."""
    more = {**peer.job["more"], "gradient_checkpointing": True}
    name = ", ".join(
        [peer.name.replace(f"batches of {peer.job['micro']}", "batches of 1"), "gradient_checkpointing=True"]
    )
    return replace(peer, name=name, job={**peer.job, "micro": 1, "more": more})


def _medians(turns: dict[str, list[Turn]], of: Any) -> dict[str, float]:
    return {name: round(statistics.median(map(of, taken)), 2) for name, taken in turns.items()}
