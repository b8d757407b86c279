"""Weights before and after a stage in, the average of the two that keeps the lesson and moves habits least out.

WiSE-FT (Wortsman et al. 2109.01903) draws a straight line between old and new weights; here the share of the new
ones is the one with the least KL on held-out self-written texts among those that still know the lesson.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.train.anchors import Anchors, kl_to

SHARES = (1.0, 0.9, 0.8, 0.7, 0.6)
"""Shares of the new weights that are tried, in this order."""

ENOUGH = 0.02
"""Nats per token by which a step back must lower the divergence to be worth what it forgets."""

KNOWN = 0.98
"""Share of the rows known with the new weights that must still be known."""


class Average(NamedTuple):
    """One point on the line between old and new weights."""

    share: float
    known: float
    """Share of the lesson's rows whose targets are all most likely."""
    divergence: float
    """KL from the start model on held-out anchors, nats per token."""


@torch.inference_mode()
def settle(
    model: LanguageModel,
    before: dict[str, torch.Tensor],
    lesson: Sequence[Row],
    anchors: Anchors,
    held_out: Sequence[int],
) -> Average:
    """Set the model to the best average and say which it is."""
    after = model.snapshot()
    trained = {name for name, weight in model.weights().items() if weight.requires_grad}
    before = {name: before[name] if name in trained else after[name] for name in after}
    tried: list[Average] = []
    for share in SHARES:
        model.restore(between(before, after, share))
        divergence = float(kl_to(model, anchors, held_out))
        if not tried and divergence <= ENOUGH:
            return Average(share, 1.0, divergence)  # no step back could win enough
        known = sum(outcome.right for outcome in model.force(lesson)) / len(lesson)
        tried.append(Average(share, known, divergence))
        if known < KNOWN * tried[0].known:
            break  # further back on the line even less is known
    good = [average for average in tried if average.known >= KNOWN * tried[0].known]
    best = min(good, key=lambda average: average.divergence)
    if best.divergence > tried[0].divergence - ENOUGH:
        best = tried[0]
    model.restore(between(before, after, best.share))
    return best


def between(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor], share: float) -> dict[str, torch.Tensor]:
    """`before` moved towards `after` by `share`."""
    return {name: torch.lerp(before[name], after[name], share) for name in after}
