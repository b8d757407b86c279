"""Texts in, a few of them that stand for all out."""

from __future__ import annotations

from collections.abc import Sequence

import torch

ROUNDS = 10
"""How often centres move to the middle of their texts; few texts need no more."""


def typical(texts: Sequence[Sequence[int]], count: int) -> list[int]:
    """Numbers of at most `count` texts (tokens): of each of so many clusters the text next to its centre.

    k-means on how often each token occurs, every text as a vector of length 1. The first centre is the text nearest to
    the middle of all, each further one the text farthest from those before, so that nothing is drawn by lot.
    """
    if len(texts) <= count:
        return list(range(len(texts)))
    if count < 1:
        return []
    vectors_NV = _counted(texts)
    centres_CV = vectors_NV[_spread(vectors_NV, count)]
    for _ in range(ROUNDS):
        nearest_N = torch.cdist(vectors_NV, centres_CV).argmin(1)
        moved = [vectors_NV[nearest_N == number] for number in range(len(centres_CV))]
        centres_CV = torch.stack(
            [own.mean(0) if len(own) else centre for own, centre in zip(moved, centres_CV, strict=True)]
        )
    distances_NC = torch.cdist(vectors_NV, centres_CV)
    distances_N, nearest_N = distances_NC.min(1)
    members = [(nearest_N == number).nonzero()[:, 0] for number in range(len(centres_CV))]
    return sorted(int(own[distances_N[own].argmin()]) for own in members if len(own))


def _spread(vectors_NV: torch.Tensor, count: int) -> list[int]:
    """Numbers of texts far from each other."""
    chosen = [int((vectors_NV - vectors_NV.mean(0)).norm(dim=1).argmin())]
    while len(chosen) < count:
        chosen.append(int(torch.cdist(vectors_NV, vectors_NV[chosen]).min(1).values.argmax()))
    return chosen


def _counted(texts: Sequence[Sequence[int]]) -> torch.Tensor:
    """vectors_NV over the tokens that occur."""
    places = {token: place for place, token in enumerate(sorted({token for text in texts for token in text}))}
    vectors_NV = torch.zeros(len(texts), len(places))
    for number, text in enumerate(texts):
        for token in text:
            vectors_NV[number, places[token]] += 1
    return torch.nn.functional.normalize(vectors_NV, dim=1)
