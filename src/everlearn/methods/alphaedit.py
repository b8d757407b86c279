"""Examples in, a model with the MLPs of a few layers edited where no key in use lies out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods._editing import Editing, Squares
from everlearn.methods.contract import Memory

FREE = "free"
"""Where the directions_FD are kept in which hardly any key in use lies, orthonormal rows, by matrix."""

EARLIER = "earlier"
"""Where the squares of all earlier edits' keys are kept, within these directions."""


@dataclass(frozen=True)
class AlphaEdit(Editing):
    """AlphaEdit (Fang et al. 2410.02355): the change Δ of a matrix is Δ P, P the projection on directions in which no
    key in use lies, so that all that the start model's keys lead to stays as it is. Within them it minimises
    Σ ‖Δ k − r‖² over the edits, keys k and what is missing r, plus Σ ‖Δ k‖² over the keys of all earlier edits, plus a
    little of its own size."""

    keeps: ClassVar[str] = "directions without keys in each edited layer, and earlier edits' keys there"
    place: ClassVar[str] = FREE

    unused: float = 0.1
    """share of the mean square of all keys in use that lies in the directions edits may take"""
    ridge: float = 1.0
    """weight of the change's own size, relative to the mean square of the edits' keys"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.unused < 1 or self.ridge <= 0:
            raise SettingsError(
                f"unused is {self.unused}, ridge {self.ridge}", "give a share between 0 and 1, and a ridge above zero"
            )

    def kept(self, squares: Squares) -> Memory:
        """The directions, and no earlier edits."""
        free = {name: unused_directions(square_DD, self.unused) for name, square_DD in squares.items()}
        return {FREE: free, EARLIER: {name: torch.zeros(len(each_FD), len(each_FD)) for name, each_FD in free.items()}}

    def change(self, name: str, keys_ED: torch.Tensor, missing_EH: torch.Tensor, memory: Memory) -> torch.Tensor:
        """Δ = Rᵀ K P (P (Kᵀ K + earlier) P + ridge)⁻¹, computed in the free directions' own coordinates."""
        free_FD = memory[FREE][name].to(keys_ED)
        keys_EF = keys_ED @ free_FD.T
        whole_FF = keys_EF.T @ keys_EF + memory[EARLIER][name].to(keys_ED)
        whole_FF.diagonal().add_(self.ridge * keys_EF.square().sum(1).mean().clamp(min=torch.finfo().tiny))
        change_HD: torch.Tensor = torch.linalg.solve(whole_FF, keys_EF.T @ missing_EH).T @ free_FD
        return change_HD

    def edited(self, keys: Mapping[str, torch.Tensor], memory: Memory) -> Memory:
        """Add the edits' keys to the earlier ones'."""
        within = {name: keys_ED.cpu() @ memory[FREE][name].T for name, keys_ED in keys.items()}
        return {**memory, EARLIER: {name: memory[EARLIER][name] + each.T @ each for name, each in within.items()}}


def unused_directions(square_DD: torch.Tensor, share: float) -> torch.Tensor:
    """As many orthonormal directions_FD, the emptiest ones, as hold together no more than a share of all keys' square;
    at least one."""
    values_D, vectors_DD = torch.linalg.eigh(square_DD.double())  # the smallest first
    within = int((values_D.clamp(min=0).cumsum(0) <= share * values_D.sum()).sum())
    free_FD: torch.Tensor = vectors_DD[:, : max(1, within)].T.float().contiguous()
    return free_FD
