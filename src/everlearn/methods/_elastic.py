"""How much each weight mattered on earlier stages in, a pull of each to where the stage began out.

What `ewc`, `mas` and `si` have in common; no method by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.methods.contract import Gradient, Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.importance import Weights, pull, scaled_to_mean_1
from everlearn.train.run import Run

IMPORTANCE = "importance"
"""Where the importance of each weight on all earlier stages is kept, in bf16."""

BEFORE = "before"
"""Where the weights before training, and the importance as it is used, are in the memory while a stage is learnt."""


@dataclass(frozen=True)
class Elastic(Gradient):
    """A pull to the weights before the stage, as strong as each one's importance on all earlier stages."""

    family: ClassVar[str] = "regularization"
    keeps: ClassVar[str] = "how much each weight matters"
    each_weight: ClassVar[bool] = True

    strength: float = 100.0
    """weight of half the squared distance, on importance whose mean over all weights is 1"""

    def measured(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Weights:
        """How much each weight matters on the stage just learnt."""
        raise NotImplementedError

    def earlier(self, importance: torch.Tensor) -> torch.Tensor:
        """What of an earlier importance counts on when a stage's own is added to it."""
        return importance

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Remember where the stage begins."""
        scaled = scaled_to_mean_1({name: each.float() for name, each in memory.get(IMPORTANCE, {}).items()})
        return {**memory, BEFORE: (model.snapshot(), scaled)}

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], memory: Memory, step: int) -> None:
        """Add the pull, once there is an earlier stage."""
        towards, importance = memory[BEFORE]
        if importance:
            pull(gradients, model.masters, towards, self.strength, importance)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Add this stage's importance."""
        if not examples:
            return {name: value for name, value in memory.items() if name == IMPORTANCE}
        before = memory.get(IMPORTANCE, {})
        total = {
            name: own + self.earlier(before[name].to(own)) if name in before else own
            for name, own in self.measured(model, examples, memory, run).items()
        }
        return {IMPORTANCE: {name: each.bfloat16().cpu() for name, each in total.items()}}
