"""Examples in, a model with one more adapter, off the directions of the earlier ones, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods.contract import START, Gradient, Memory
from everlearn.model.adapter import FIRST
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.merging import MERGED
from everlearn.train.run import Run

OLD = "old"
"""Where the rank of the earlier stages' adapters together is in the memory while a stage is learnt."""


@dataclass(frozen=True)
class OLoRA(Gradient):
    """O-LoRA (Wang et al. 2310.14152): each stage trains a LoRA adapter of its own beside those of all earlier stages,
    which no longer change; λ · Σ |A_new A_oldᵀ| keeps its directions of the input orthogonal to theirs. All adapters
    together answer, whatever the question."""

    family: ClassVar[str] = "capacity growth"
    keeps: ClassVar[str] = "an adapter for each stage, all of them in the weights"
    cost: ClassVar[str] = "1×, and little more with each stage"
    claims: ClassVar[tuple[str, ...]] = (START, MERGED)
    grows: ClassVar[bool] = True
    only: ClassVar[bool] = True

    weights: str = "lora"
    """what may change: here always `lora` (a low-rank adapter)"""
    rank: int = 8
    """rank of each stage's adapter"""
    learning_rate: float = 2e-3
    """highest learning rate of AdamW"""
    strength: float = 0.5
    """λ, weight of the overlap of new directions with old ones"""
    decay: float = 0.0
    """weight of the lengths of the new matrices (not squared)"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.strength, self.decay) < 0:
            raise SettingsError(f"strength is {self.strength}, decay {self.decay}", "give weights of zero or more")

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Put a fresh adapter beside the old ones."""
        if not examples:
            return memory
        old = model.taught_rank
        model.resize(old + self.rank)
        return {**memory, OLD: old}

    def penalty(self, model: LanguageModel, memory: Memory, step: int) -> torch.Tensor | None:
        """Overlap with the old directions, and lengths."""
        return overlap(model.weights(), memory[OLD], self.strength, self.decay)

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], memory: Memory, step: int) -> None:
        """Leave nothing of what would move old adapters: their moments stay zero, and so do their steps."""
        for name, gradient in gradients.items():
            (gradient if FIRST in name else gradient.T)[: memory[OLD]] = 0

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """All that was learnt is in the weights."""
        return {name: value for name, value in memory.items() if name != OLD}


def overlap(adapter: dict[str, torch.nn.Parameter], old: int, strength: float, decay: float) -> torch.Tensor | None:
    """strength · Σ |A_new A_oldᵀ| + decay · (Σ ‖A_new‖ + Σ ‖B_new‖), sums over all layers, where the first `old` rows
    are old; None where both say nothing."""
    terms = []
    for name, matrix in adapter.items():
        rows_RI = (matrix if FIRST in name else matrix.T).float()
        if strength and old and FIRST in name:
            terms.append(strength * (rows_RI[old:] @ rows_RI[:old].T.detach()).abs().sum())
        if decay:
            terms.append(decay * rows_RI[old:].norm())
    return torch.stack(terms).sum() if terms else None
