"""Examples in, a model fine-tuned on them whose weights stay where earlier stages need them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.methods.contract import Gradient, Memory, rows_of
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.importance import fisher, pull, scaled_to_mean_1
from everlearn.train.run import Run

BEFORE = "before"
"""Where the weights before training are in the memory while a stage is learnt."""


@dataclass(frozen=True)
class EWC(Gradient):
    """Elastic weight consolidation in its online form (Kirkpatrick et al. 1612.00796; Schwarz et al. 1805.06370): a
    pull to the weights before the stage, as strong as each one's Fisher information on all earlier stages."""

    family: ClassVar[str] = "regularization"
    keeps: ClassVar[str] = "the Fisher information of each weight"
    cost: ClassVar[str] = "1×, and a pass over some rows"

    strength: float = 100.0
    """weight of half the squared distance, on information whose mean over all weights is 1"""
    samples: int = 64
    """rows of each stage on which the information is measured"""
    decay: float = 1.0
    """share of the earlier stages' information that stays when a stage's own is added"""

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Remember where the stage begins: that is what the information was measured at."""
        scaled = scaled_to_mean_1({name: each.float() for name, each in memory.get("fisher", {}).items()})
        return {**memory, BEFORE: (model.snapshot(), scaled)}

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], memory: Memory, step: int) -> None:
        """Add the pull, once there is an earlier stage."""
        towards, information = memory[BEFORE]
        if information:
            pull(gradients, model.masters, towards, self.strength, information)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Add this stage's information."""
        kept = {name: value for name, value in memory.items() if name != BEFORE}
        if not examples:
            return kept
        found = fisher(model, rows_of(model, examples, self.samples, run.seed), run.seed, run.meter)
        earlier = memory.get("fisher", {})
        total = {
            name: each + self.decay * earlier[name].to(each) if name in earlier else each
            for name, each in found.items()
        }
        return {**kept, "fisher": {name: each.bfloat16().cpu() for name, each in total.items()}}
