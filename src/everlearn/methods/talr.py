"""Examples in, a model fine-tuned on them, the less on a token the less likely it was, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods.contract import Gradient, Memory


@dataclass(frozen=True)
class TALR(Gradient):
    """Token-adaptive loss reweighting (ICLR 2026; from summaries, no code was read): each target's loss is multiplied
    by max(floor, p^(1/τ)), p the model's own probability of it now. What surprises moves the model least, so that it
    keeps more, and learns new facts slowly."""

    family: ClassVar[str] = "on-policy data"

    temperature: float = 4.0
    """τ: the higher, the more alike all tokens are"""
    floor: float = 0.1
    """least weight of a target"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.temperature <= 0 or not 0 <= self.floor <= 1:
            raise SettingsError(
                f"temperature is {self.temperature}, floor {self.floor}",
                "give a temperature above 0 and a floor from 0 to 1",
            )

    def weigh(self, nll_N: torch.Tensor, memory: Memory, step: int) -> torch.Tensor | None:
        """By the probability that each target has now."""
        return (-nll_N / self.temperature).exp().clamp(min=self.floor)
