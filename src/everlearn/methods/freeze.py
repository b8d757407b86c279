"""Examples in, a model whose upper layers alone were fine-tuned out.

Freezing the embedding and the bottom layers keeps the alignment of tasks apart from their knowledge and cures
much of what looks like forgetting (Zheng et al. 2025, 2501.13453).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.methods.contract import Gradient, Memory
from everlearn.model.language_model import LanguageModel
from everlearn.model.layers import layer_of


@dataclass(frozen=True)
class Freeze(Gradient):
    """Sequential fine-tuning with the embedding and the lowest layers held still."""

    family: ClassVar[str] = "references"

    layers: int = 15
    """how many layers, counted from the input, do not change"""

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], memory: Memory, step: int) -> None:
        """Drop the gradients of what is frozen, so that the optimiser leaves it alone."""
        for name in [name for name in gradients if self._frozen(name)]:
            del gradients[name]

    def _frozen(self, name: str) -> bool:
        layer = layer_of(name)
        return "embed" in name if layer is None else layer < self.layers
