"""Examples in, a model fine-tuned on them whose weights stay where what it says hangs on them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.methods.contract import Gradient, Memory, rows_of
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.importance import pull, scaled_to_mean_1, sensitivity
from everlearn.train.run import Run

BEFORE = "before"
"""Where the weights before training are in the memory while a stage is learnt."""


@dataclass(frozen=True)
class MAS(Gradient):
    """Memory aware synapses (Aljundi et al. 1711.09601): a pull to the weights before the stage, as strong as each one
    moves what the model says on earlier stages, whether that is right or not."""

    family: ClassVar[str] = "regularization"
    keeps: ClassVar[str] = "the sensitivity to each weight"
    cost: ClassVar[str] = "1×, and a pass over some rows"

    strength: float = 100.0
    """weight of half the squared distance, on sensitivity whose mean over all weights is 1"""
    samples: int = 64
    """rows of each stage on which the sensitivity is measured"""

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Remember where the stage begins."""
        scaled = scaled_to_mean_1({name: each.float() for name, each in memory.get("sensitivity", {}).items()})
        return {**memory, BEFORE: (model.snapshot(), scaled)}

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], memory: Memory, step: int) -> None:
        """Add the pull, once there is an earlier stage."""
        towards, importance = memory[BEFORE]
        if importance:
            pull(gradients, model.masters, towards, self.strength, importance)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Add this stage's sensitivity."""
        kept = {name: value for name, value in memory.items() if name != BEFORE}
        if not examples:
            return kept
        found = sensitivity(model, rows_of(model, examples, self.samples, run.seed), run.meter)
        earlier = memory.get("sensitivity", {})
        total = {name: each + earlier[name].to(each) if name in earlier else each for name, each in found.items()}
        return {**kept, "sensitivity": {name: each.bfloat16().cpu() for name, each in total.items()}}
