"""Prompts in, one vector for each out: what it looks like to a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch

from everlearn.model.chat import Row
from everlearn.model.packing import Packed, batches_by_size, pack


class Pooled(NamedTuple):
    """What prompts look like."""

    states_ND: torch.Tensor
    tokens: int
    """How many were computed."""


def pooled(
    decoder: Any, prompts: Sequence[Sequence[int]], most: int, decode: Callable[[Packed], torch.Tensor]
) -> Pooled:
    """Mean over each prompt's tokens of their hidden states halfway through the decoder's layers, fp32.

    Args:
        most: tokens that are decoded at a time.
        decode: runs the decoder on a batch.
    """
    halfway: list[torch.Tensor] = []

    def keep(layer: Any, given: Any, made: Any) -> None:
        halfway.append((made[0] if isinstance(made, tuple) else made)[0])

    rows = [Row(tuple(prompt), (False,) * len(prompt)) for prompt in prompts]
    hook = decoder.layers[(len(decoder.layers) - 1) // 2].register_forward_hook(keep)
    found: dict[int, torch.Tensor] = {}
    tokens = 0
    try:
        for group in batches_by_size(rows, most):
            batch = pack([rows[index] for index in group])
            tokens += batch.tokens
            decode(batch)
            hidden_TD = halfway.pop()
            for index, places in zip(group, batch.places, strict=True):
                pieces = [hidden_TD[place.at : place.at + place.stop - place.start] for place in places]
                found[index] = torch.cat(pieces).float().mean(0)
    finally:
        hook.remove()
    return Pooled(torch.stack([found[index] for index in range(len(rows))]), tokens)
