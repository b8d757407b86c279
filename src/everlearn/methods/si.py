"""Examples in, a model fine-tuned on them whose weights stay where earlier learning moved them to some purpose out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.methods.contract import Gradient, Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.importance import pull, scaled_to_mean_1
from everlearn.train.loop import RUNNING
from everlearn.train.run import Run

BEFORE = "before"
"""Where the weights before training, and what they mattered, are in the memory while a stage is learnt."""

STEP = "step"
"""Where the masters and the lesson's own gradients before a step are, until it is taken."""


@dataclass(frozen=True)
class SI(Gradient):
    """Synaptic intelligence (Zenke et al. 1703.04200): a pull to the weights before the stage, as strong as each one's
    share in how far the loss has fallen on earlier stages, over the square of its way."""

    family: ClassVar[str] = "regularization"
    keeps: ClassVar[str] = "what each weight has earned"

    strength: float = 100.0
    """weight of half the squared distance, on importance whose mean over all weights is 1"""
    damping: float = 1e-6
    """ξ: what the square of a weight's way is raised by, so that one that hardly moved is not all-important"""

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Begin to count: nothing has been earned in this stage."""
        scaled = scaled_to_mean_1({name: each.float() for name, each in memory.get("importance", {}).items()})
        start = model.snapshot()
        earned = {name: torch.zeros_like(master) for name, master in start.items()}
        return {**memory, BEFORE: (start, scaled), RUNNING: earned}

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], memory: Memory, step: int) -> None:
        """Note the lesson's own gradients, then add the pull."""
        memory[STEP] = {name: (model.masters[name], gradient.float()) for name, gradient in gradients.items()}
        towards, importance = memory[BEFORE]
        if importance:
            pull(gradients, model.masters, towards, self.strength, importance)

    def after_step(self, model: LanguageModel, memory: Memory, step: int) -> None:
        """Credit each weight with −gradient · way."""
        for name, (before, gradient) in memory.pop(STEP).items():
            memory[RUNNING][name] -= gradient * (model.masters[name] - before)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Add what was earned in this stage; less than nothing is nothing."""
        start, _ = memory[BEFORE]
        kept = {name: value for name, value in memory.items() if name not in (BEFORE, STEP, RUNNING)}
        if not examples:
            return kept
        earlier = memory.get("importance", {})
        total = {}
        for name, earned in memory[RUNNING].items():
            own = (earned / ((model.masters[name] - start[name]).square() + self.damping)).clamp(min=0)
            total[name] = (own + earlier[name].to(own) if name in earlier else own).bfloat16().cpu()
        return {**kept, "importance": total}
