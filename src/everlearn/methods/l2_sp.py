"""Examples in, a model fine-tuned on them that is pulled back to where its lineage began out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.methods.contract import Gradient, Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.importance import pull
from everlearn.train.run import Run

ORIGIN = "origin"
"""Where the start model's weights are in the memory while a stage is learnt; they are read anew, not kept."""


@dataclass(frozen=True)
class L2SP(Gradient):
    """Fine-tuning with a pull to the start model's weights (L2-SP, Li et al. 1802.01483), all of them alike."""

    family: ClassVar[str] = "regularization"
    each_weight: ClassVar[bool] = True

    strength: float = 0.1
    """weight of half the squared distance from the start model's weights"""

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Read the start model's weights."""
        return {**memory, ORIGIN: model.start()}

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], memory: Memory, step: int) -> None:
        """Add the pull."""
        pull(gradients, model.masters, memory[ORIGIN], self.strength, {})

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Forget the start model's weights."""
        return {name: value for name, value in memory.items() if name != ORIGIN}
