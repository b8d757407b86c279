"""A model and rows in, in which directions the inputs of its linear layers lie, out: Σ x xᵀ for each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import torch

from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import Packed, batches_by_size, pack
from everlearn.train.meter import Meter

TOKENS = 2048
"""Tokens read at a time: what all layers are given there is in memory at once."""


class Squares(NamedTuple):
    """Sums over tokens."""

    sums: dict[str, torch.Tensor]
    """By the names of the weights that are given the same, joined by commas: square_DD."""
    tokens: int
    """How many were summed."""


def squares(
    model: LanguageModel,
    rows: Sequence[Row],
    names: Iterable[str],
    chosen: Callable[[Packed], torch.Tensor],
    meter: Meter,
) -> Squares:
    """Σ x xᵀ over tokens of the rows, for the inputs x of linear layers (names of their weights).

    Args:
        chosen: of a batch, mask_T of the tokens that count. What rows that are read together start with alike is there
            once.
    """
    names, found, tokens = list(names), dict[str, torch.Tensor](), 0
    for group in batches_by_size(rows, TOKENS):
        batch = pack([rows[index] for index in group])
        meter.read("study", batch.tokens)
        chosen_T = chosen(batch).to(model.device)
        tokens += int(chosen_T.sum())
        for shared, inputs_TD in _shared(model.linear_inputs(batch, names)).items():
            inputs_ND = inputs_TD[chosen_T].float()
            square_DD = inputs_ND.T @ inputs_ND
            found[shared] = found[shared] + square_DD if shared in found else square_DD
    return Squares(found, tokens)


def targets_of(batch: Packed) -> torch.Tensor:
    """mask_T of the tokens at which a target is predicted."""
    return batch.asked_tokens()


def all_of(batch: Packed) -> torch.Tensor:
    """mask_T of all tokens but those that fill a line up."""
    return batch.asked_tokens([[True] * (len(row.read) + 1) for row in batch.rows])


def _shared(inputs: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Inputs by the names of all weights that are given them."""
    names: dict[int, list[str]] = defaultdict(list)
    for name, inputs_TD in inputs.items():
        names[inputs_TD.data_ptr()].append(name)
    return {",".join(each): inputs[each[0]] for each in names.values()}
