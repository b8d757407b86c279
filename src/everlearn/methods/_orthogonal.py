"""Where a stage begins and a rule by which weights may change in, weights that have changed by that rule alone out.

What `ogd`, `gpm` and `osft` have in common; no method by itself. A projected gradient is not enough: AdamW divides each
weight's gradient by a size of its own, and Muon makes all singular values alike, which both turns the step out of the
subspace again. So the gradient is projected, for the moments' sake, and after the step all that the masters have
changed since the stage began is projected too, which makes up for the step and for its rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from everlearn.methods.contract import Gradient, Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.run import Run

DIRECTIONS = "in which directions the weights may move"
"""What these methods claim: what one has projected, another would turn back."""

BEGUN = "begun"
"""Where the masters at the stage's beginning, and what changes are projected by, are while the stage is learnt."""

Changes = dict[str, torch.Tensor]
"""By weight, a change of it or a gradient, fp32."""


@dataclass(frozen=True)
class Orthogonal(Gradient):
    """Weights move only where what was learnt earlier does not need them."""

    family: ClassVar[str] = "gradient projections"
    claims: ClassVar[tuple[str, ...]] = (DIRECTIONS,)
    each_weight: ClassVar[bool] = True

    def rule(self, model: LanguageModel, memory: Memory) -> Any:
        """What `allowed` needs in a stage; None where all changes are allowed."""
        raise NotImplementedError

    def allowed(self, changes: Mapping[str, torch.Tensor], rule: Any) -> Changes:
        """What of changes is left when all that the rule forbids is taken out: a projection, that is linear, and the
        same again when done again."""
        raise NotImplementedError

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Remember where the stage begins."""
        rule = self.rule(model, memory) if examples else None
        return memory if rule is None else {**memory, BEGUN: (model.snapshot(), rule)}

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], memory: Memory, step: int) -> None:
        """Take out of the gradients what is forbidden, up to their rounding."""
        if BEGUN not in memory:
            return
        _, rule = memory[BEGUN]
        allowed = self.allowed({name: gradient.float() for name, gradient in gradients.items()}, rule)
        for name, gradient in gradients.items():
            gradients[name] = allowed[name].to(gradient.dtype)

    def after_step(self, model: LanguageModel, memory: Memory, step: int) -> None:
        """Take out of the way from the stage's beginning what is forbidden."""
        if BEGUN not in memory:
            return
        begun, rule = memory[BEGUN]
        changes = {name: master - begun[name] for name, master in model.masters.items()}
        for name, change in self.allowed(changes, rule).items():
            if change is not changes[name]:  # what is free as a whole stays as it is, to the bit
                model.masters[name] = begun[name] + change

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Forget where the stage began."""
        return {name: value for name, value in memory.items() if name != BEGUN}
