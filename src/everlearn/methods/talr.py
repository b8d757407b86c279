"""Examples in, a model fine-tuned on them, the less on a token the less likely it was, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods.contract import Gradient, Memory

LEAST_NATS = 1e-6
"""What a target is taken to cost at least on average: where all is known there is nothing to divide by."""


@dataclass(frozen=True)
class TALR(Gradient):
    """Token-adaptive loss reweighting (Lin et al. 2509.20758): each target's loss is multiplied by
    max(floor, p^(1/τ)), p the model's own probability of it now, and τ the nats that a target of the step costs on
    average. What surprises moves the model least, so that it keeps more, and learns new facts slowly."""

    family: ClassVar[str] = "on-policy data"

    temperature: float = 1.0
    """τ, in multiples of what a target of the step costs on average: the higher, the more alike all tokens are"""
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
        """By the probability that each target has now, beside that of the others."""
        mean = nll_N.mean().clamp(min=LEAST_NATS)
        return (-nll_N / (self.temperature * mean)).exp().clamp(min=self.floor)
