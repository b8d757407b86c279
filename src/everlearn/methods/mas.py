"""Examples in, a model fine-tuned on them whose weights stay where what it says hangs on them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.methods._elastic import Elastic
from everlearn.methods.contract import Memory, rows_of
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.importance import Weights, sensitivity
from everlearn.train.run import Run


@dataclass(frozen=True)
class MAS(Elastic):
    """Memory aware synapses (Aljundi et al. 1711.09601): what matters is told by how far each weight moves what the
    model says, whether that is right or not."""

    cost: ClassVar[str] = "1×, and a pass over some rows"

    samples: int = 64
    """rows of each stage on which the sensitivity is measured"""

    def measured(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Weights:
        """The sensitivity on a sample of the stage."""
        return sensitivity(model, rows_of(model, examples, self.samples, run.seed), run.meter)
