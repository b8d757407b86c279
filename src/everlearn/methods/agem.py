"""Examples and a buffer of earlier ones in, a model fine-tuned by steps that do not raise the loss on these out."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods.contract import Gradient, Memory
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import pack
from everlearn.records import Example
from everlearn.train.buffer import within_budget
from everlearn.train.loop import collect_gradients
from everlearn.train.losses import cross_entropy
from everlearn.train.run import Run

RUN = "run"
"""Where the seed and the meter are while a stage is learnt."""


@dataclass(frozen=True)
class AGEM(Gradient):
    """Averaged gradient episodic memory (Chaudhry et al. 1812.00420): where a step's gradient g points against that of
    a sample of earlier examples, r, it loses that part: g ← g − (g·r / r·r) r, over all weights together."""

    family: ClassVar[str] = "gradient projections"
    keeps: ClassVar[str] = "a sample of earlier examples"
    cost: ClassVar[str] = "2×"

    budget: int = 100_000
    """bytes of earlier examples that are kept"""
    references: int = 16
    """earlier examples whose gradient is looked at in each step"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.references < 1:
            raise SettingsError(f"references is {self.references}", "look at one earlier example at least")

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Keep at hand what each step needs."""
        return {**memory, RUN: run}

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], memory: Memory, step: int) -> None:
        """Turn the gradient off that of earlier examples where the two disagree."""
        if memory.get("examples"):
            turn_off(gradients, self._reference(model, memory, step))

    def _reference(self, model: LanguageModel, memory: Memory, step: int) -> dict[str, torch.Tensor]:
        """The gradient of the loss on earlier examples, drawn anew for each step."""
        old, run = memory["examples"], memory[RUN]
        drawn = random.Random(f"{run.seed}:{step}").sample(old, min(self.references, len(old)))
        batch = pack([model.chat.example(example) for example in drawn])
        weights_N = torch.where(batch.opening_N, self.opening, 1.0).to(model.device)
        cross_entropy(model.logits(batch), batch.targets_N.to(model.device), weights_N).backward()
        run.meter.learnt("replayed", batch.tokens)
        return collect_gradients(model)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Sample the new stage into the buffer."""
        return {"examples": within_budget(memory.get("examples", []), examples, self.budget, run.seed)}


def turn_off(gradients: dict[str, torch.Tensor], reference: Mapping[str, torch.Tensor]) -> None:
    """Take out of the gradients, in place, what points against the reference (eq. 11)."""
    both = [name for name in gradients if name in reference]
    along = sum(_product(gradients[name], reference[name]) for name in both)
    square = sum(_product(reference[name], reference[name]) for name in both)
    if along >= 0 or square == 0:
        return
    for name in both:
        turned = gradients[name].float() - along / square * reference[name].float()
        gradients[name] = turned.to(gradients[name].dtype)


def _product(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one.float() * other.float()).sum(dtype=torch.float64))
