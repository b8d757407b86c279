"""Examples in, a model fine-tuned on them whose weights stay where earlier stages need them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.methods._elastic import Elastic
from everlearn.methods.contract import Memory, rows_of
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.importance import Weights, fisher
from everlearn.train.run import Run


@dataclass(frozen=True)
class EWC(Elastic):
    """Elastic weight consolidation in its online form (Kirkpatrick et al. 1612.00796; Schwarz et al. 1805.06370): what
    matters is told by the diagonal of the Fisher information."""

    cost: ClassVar[str] = "1×, and a pass over some rows"

    samples: int = 64
    """rows of each stage on which the information is measured"""
    decay: float = 1.0
    """share of the earlier stages' information that stays when a stage's own is added"""

    def measured(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Weights:
        """The Fisher information on a sample of the stage."""
        return fisher(model, rows_of(model, examples, self.samples, run.seed), run.seed, run.meter)

    def earlier(self, importance: torch.Tensor) -> torch.Tensor:
        """A share of it."""
        return self.decay * importance
