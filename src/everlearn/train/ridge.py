"""What prompts of several lessons look like to a model in, one after the other; the lesson of any other prompt out.

Ridge regression on random features (RanPAC, McDonnell et al. 2307.02251). What is kept are sums over prompts, so that
the answer is that of all lessons at once, in whatever order they came, and no prompt is kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

FIRST = 4.0
"""By how much more the first lesson counts, as it stands for whatever is none of the others."""


@dataclass(frozen=True)
class Ridge:
    """Lessons seen so far. All count alike, however many prompts they have, but for the first one, which counts more
    and gives the states' scale."""

    mean_D: torch.Tensor
    spread_D: torch.Tensor
    """Mean and standard deviation of the first lesson's states."""
    gram_MM: torch.Tensor
    """Sum over lessons of the mean of h hᵀ, h = relu(state · R): G of the paper."""
    sums_CM: torch.Tensor
    """For each lesson the mean of h: C of the paper."""

    @classmethod
    def begun(cls, states_ND: torch.Tensor, width: int) -> Ridge:
        """One lesson, and so many random features."""
        states_ND = states_ND.double().cpu()
        spread_D = states_ND.std(0, correction=0).clamp(min=1e-6)
        empty = Ridge(states_ND.mean(0), spread_D, states_ND.new_zeros(width, width), states_ND.new_zeros(0, width))
        return empty.with_lesson(states_ND, FIRST)

    def with_lesson(self, states_ND: torch.Tensor, weight: float = 1.0) -> Ridge:
        """One lesson more, the last in number."""
        seen_NM = self._features(states_ND)
        share = weight / len(seen_NM)
        gram_MM = self.gram_MM + share * seen_NM.T @ seen_NM
        sums_CM = torch.cat([self.sums_CM, share * seen_NM.sum(0, keepdim=True)])
        return replace(self, gram_MM=gram_MM, sums_CM=sums_CM)

    def weights(self, ridge: float) -> torch.Tensor:
        """weights_MC of the regression to one-hot lessons: (G + λ I)⁻¹ C, λ being `ridge` times G's mean diagonal."""
        held_M = torch.full((len(self.gram_MM),), ridge * float(self.gram_MM.diagonal().mean()))
        weights_MC: torch.Tensor = torch.linalg.solve(self.gram_MM + torch.diag(held_M), self.sums_CM.T)
        return weights_MC

    def lessons(self, states_ND: torch.Tensor, ridge: float) -> list[int]:
        """For each state the number of its lesson."""
        numbers: list[int] = (self._features(states_ND) @ self.weights(ridge)).argmax(1).tolist()
        return numbers

    def tensors(self) -> dict[str, torch.Tensor]:
        """To be kept, in fp32: of the symmetric G half."""
        width = len(self.gram_MM)
        upper = self.gram_MM[tuple(torch.triu_indices(width, width))]
        kept = {"mean": self.mean_D, "spread": self.spread_D, "gram": upper, "sums": self.sums_CM}
        return {name: each.float() for name, each in kept.items()}

    @classmethod
    def of(cls, tensors: Mapping[str, torch.Tensor]) -> Ridge:
        """What `tensors` kept."""
        kept = {name: each.double() for name, each in tensors.items()}
        width = kept["sums"].shape[1]
        upper_MM = kept["gram"].new_zeros(width, width)
        upper_MM[tuple(torch.triu_indices(width, width))] = kept["gram"]
        gram_MM = upper_MM + upper_MM.T - torch.diag(upper_MM.diagonal())
        return cls(kept["mean"], kept["spread"], gram_MM, kept["sums"])

    def _features(self, states_ND: torch.Tensor) -> torch.Tensor:
        """h_NM. The random directions are drawn anew each time, always the same."""
        even_ND = (states_ND.double().cpu() - self.mean_D) / self.spread_D
        width, draw = len(self.gram_MM), torch.Generator().manual_seed(0)
        directions_DM = torch.randn(even_ND.shape[1], width, generator=draw).double() / math.sqrt(even_ND.shape[1])
        return (even_ND @ directions_DM).relu()
