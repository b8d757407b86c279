"""Examples in, a model fine-tuned on them in the weaker half of each weight matrix's own directions out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch

from everlearn.errors import SettingsError
from everlearn.methods._orthogonal import Changes, Orthogonal
from everlearn.methods.contract import Memory
from everlearn.model.language_model import LanguageModel


class Free(NamedTuple):
    """The part of a matrix that may change, its longer side called A and the shorter one B."""

    low_BR: torch.Tensor
    """Singular vectors on the shorter side that are free: with those that are not they span all of it."""
    high_AK: torch.Tensor
    """Singular vectors on the longer side that are not."""


@dataclass(frozen=True)
class OSFT(Orthogonal):
    """Orthogonal subspace fine-tuning (Nayak et al. 2504.07097): of each matrix W = U S Vᵀ inside the decoder the
    largest singular values keep their directions, and all that it learns lies in (I − UUᵀ) · (I − VVᵀ) of these. Each
    stage looks for the directions anew; it is the only one of its kind that guards the start model too."""

    cost: ClassVar[str] = "about 1.3×, and a decomposition of each matrix"
    only: ClassVar[bool] = True

    unfreeze_rank_ratio: float = 0.3
    """share of each matrix's singular directions, its weakest, that may change"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.unfreeze_rank_ratio <= 1:
            raise SettingsError(
                f"unfreeze_rank_ratio is {self.unfreeze_rank_ratio}", "give a share above 0, up to 1 for all"
            )

    def rule(self, model: LanguageModel, memory: Memory) -> dict[str, Free]:
        """The free directions of each matrix as it is now."""
        return {name: weakest(model.masters[name], self.unfreeze_rank_ratio) for name in model.linear_weights()}

    def allowed(self, changes: Mapping[str, torch.Tensor], rule: dict[str, Free]) -> Changes:
        """Matrices change in their free directions; embeddings, the head and norms as they like."""
        return {name: within(change, rule[name]) if name in rule else change for name, change in changes.items()}


def weakest(weight_OI: torch.Tensor, share: float) -> Free:
    """The free directions of a matrix: a share of its singular vectors, those of the smallest values."""
    tall = weight_OI if len(weight_OI) >= weight_OI.shape[1] else weight_OI.T
    left_AB, _, right_BB = torch.linalg.svd(tall, full_matrices=False)
    held = min(math.floor((1 - share) * len(right_BB)), len(right_BB) - 1)
    return Free(right_BB[held:].T.contiguous(), left_AB[:, :held].contiguous())


def within(change_OI: torch.Tensor, free: Free) -> torch.Tensor:
    """(I − UUᵀ) change (I − VVᵀ), U and V the singular vectors that are not free."""
    if len(change_OI) < change_OI.shape[1]:
        return within(change_OI.T, free).T
    low_AR = change_OI @ free.low_BR
    low_AR -= free.high_AK @ (free.high_AK.T @ low_AR)
    return low_AR @ free.low_BR.T
