"""Examples in, a model with the MLPs of a few layers edited to give their answers, and else to say what it did, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods._editing import Editing, Squares
from everlearn.methods.contract import Memory

SQUARES = "squares"
"""Where the mean squares of the keys in use are kept."""

LEAST = 1e-9
"""Share of the mean square of all keys that is added in every direction: no key may ever have been in some."""


@dataclass(frozen=True)
class MEMIT(Editing):
    """MEMIT (Meng et al. 2210.07229): each matrix gets the change Δ that minimises Σ ‖Δ k − r‖² over the edits, keys k
    and what is missing r, plus `hold` times the mean of ‖Δ k‖² over the keys that the start model uses."""

    keeps: ClassVar[str] = "how the start model's keys lie, in each edited layer"
    place: ClassVar[str] = SQUARES

    hold: float = 1.0
    """weight of the keys in use beside the edits, in keys for each dimension: the more, the less changes elsewhere and
    the less is learnt"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hold < 0:
            raise SettingsError(f"hold is {self.hold}", "hold must not be below zero")

    def kept(self, squares: Squares) -> Memory:
        """The squares themselves."""
        return {SQUARES: squares}

    def change(self, name: str, keys_ED: torch.Tensor, missing_EH: torch.Tensor, memory: Memory) -> torch.Tensor:
        """Δ = Rᵀ K (λ C + Kᵀ K)⁻¹, λ the held keys for all dimensions."""
        square_DD = memory[SQUARES][name].to(keys_ED)
        held_DD = self.hold * len(square_DD) * square_DD
        whole_DD = held_DD + keys_ED.T @ keys_ED
        whole_DD.diagonal().add_(LEAST * whole_DD.diagonal().mean())
        change_HD: torch.Tensor = torch.linalg.solve(whole_DD, keys_ED.T @ missing_EH).T
        return change_HD
