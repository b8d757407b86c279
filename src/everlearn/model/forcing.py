"""Logits of a packed batch in, what a model makes of each of its rows under teacher forcing out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch

from everlearn.model.kernels.logits import Survey, survey
from everlearn.model.packing import Packed


class Forced(NamedTuple):
    """What the model makes of one row under teacher forcing."""

    right: bool
    """Every target was the most likely token."""
    nll: float
    """Mean negative log-likelihood of the targets, nats per token."""
    likely: tuple[int, ...]
    """The most likely token at each target."""
    lead: float
    """Nats by which the weakest target leads every other token; below zero where the row is not right."""


def forced(batch: Packed, parts: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> list[Forced]:
    """One outcome for each row of a batch.

    Args:
        parts: logits_PV and targets_P of all its predictions, part after part: all at once would take much memory.
    """
    seen = Survey.joined([survey(logits_PV, targets_P.to(logits_PV.device)) for logits_PV, targets_P in parts])
    right_N = seen.likely_N == batch.targets_N.to(seen.likely_N.device)
    nll_N = seen.normaliser_N - seen.chosen_N
    lead_N = seen.chosen_N - torch.where(right_N, seen.second_N, seen.first_N)
    # all of a batch at once: each look at a number on a device waits for it
    counts = batch.row_N.bincount(minlength=len(batch.rows)).tolist()
    each = (tensor.cpu().split(counts) for tensor in (right_N, nll_N, seen.likely_N, lead_N))
    return [
        Forced(bool(right.all()), float(nll.mean()), tuple(likely.tolist()), float(lead.min()))
        for right, nll, likely, lead in zip(*each, strict=True)
    ]
