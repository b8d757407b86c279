"""Examples in, a model fine-tuned on them whose weights stay where earlier learning moved them to some purpose out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from everlearn.methods._elastic import BEFORE, Elastic
from everlearn.methods.contract import Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.importance import Weights
from everlearn.train.loop import RUNNING
from everlearn.train.run import Run

STEP = "step"
"""Where the masters and the lesson's own gradients before a step are, until it is taken."""


@dataclass(frozen=True)
class SI(Elastic):
    """Synaptic intelligence (Zenke et al. 1703.04200): what matters is told by each weight's share in how far the loss
    has fallen, over the square of its way."""

    damping: float = 1e-6
    """ξ: what the square of a weight's way is raised by, so that one that hardly moved is not all-important"""

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Begin to count: nothing has been earned in this stage."""
        memory = super().prepare(model, examples, memory, run)
        return {**memory, RUNNING: {name: torch.zeros_like(master) for name, master in memory[BEFORE][0].items()}}

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], memory: Memory, step: int) -> None:
        """Note the lesson's own gradients, then add the pull."""
        memory[STEP] = {name: (model.masters[name], gradient.float()) for name, gradient in gradients.items()}
        super().project(model, gradients, memory, step)

    def after_step(self, model: LanguageModel, memory: Memory, step: int) -> None:
        """Credit each weight with −gradient · way."""
        for name, (before, gradient) in memory.pop(STEP).items():
            memory[RUNNING][name] -= gradient * (model.masters[name] - before)

    def measured(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Weights:
        """What was earned in this stage; less than nothing is nothing."""
        start, _ = memory[BEFORE]
        return {
            name: (earned / ((model.masters[name] - start[name]).square() + self.damping)).clamp(min=0)
            for name, earned in memory[RUNNING].items()
        }
