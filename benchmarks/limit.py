"""Counts of tokens in, the contestant that computes their bare matrix products out."""

from __future__ import annotations

from collections.abc import Sequence

from contest import MODEL, THREADS, Contestant, Ratio, Turn, ratio
from environments import OURS

from everlearn.model.cache import model_directory

LIMIT = "share of the limit"
"""How findings of `share` are called."""


def products(kind: str, tokens: float, predictions: float) -> Contestant:
    """`torch.mm` of the shapes of `reading` so many tokens, or of training on them (`full`, `lora`), and no more."""
    job = {"model": str(model_directory(MODEL)), "threads": THREADS, "kind": kind}
    job |= {"tokens": tokens, "predictions": predictions}
    return Contestant("matrix products", "matrix_products.py", OURS, job)


YARDSTICK = products("reading", 1024, 128)
"""What the machine's speed is told by while settings are swept."""


def share(ours: Sequence[Turn], bare: Sequence[Turn]) -> Ratio:
    """Our operations a second over those of bare matrix products."""
    return ratio(*([turn.flops / turn.seconds for turn in turns] for turns in (ours, bare)))


def rates(turns: dict[str, list[Turn]]) -> dict[str, float]:
    """10¹² operations a second, at best."""
    return {name: round(max(turn.flops / turn.seconds for turn in taken) / 1e12, 2) for name, taken in turns.items()}
