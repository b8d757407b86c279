"""Examples in, a model fine-tuned on them off the directions that change what it said on earlier ones out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods._orthogonal import Changes, Orthogonal
from everlearn.methods.contract import Memory, rows_of
from everlearn.model.language_model import LanguageModel
from everlearn.model.packing import Packed
from everlearn.records import Example
from everlearn.train.importance import gradients_of_rows
from everlearn.train.run import Run

KEPT = "directions"
"""Where the directions are, of each weight a tensor with one more axis, in bf16."""

LEAST = 1e-2
"""Share of a gradient's length that must lie off the directions kept for it to be one more: below it is rounding."""


@dataclass(frozen=True)
class OGD(Orthogonal):
    """Orthogonal gradient descent (Farajtabar et al. 1910.07104, its form OGD-GTL): the gradients of what the model
    says on earlier examples, the logits of their own tokens, span a subspace that no later stage moves in."""

    keeps: ClassVar[str] = "gradients of earlier examples, each as large as the weights"
    cost: ClassVar[str] = "1×, a projection of each step, and a pass over some rows"

    directions: int = 32
    """rows of each stage whose gradient is kept: two bytes for each weight that may change and each of them"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.directions < 1:
            raise SettingsError(f"directions is {self.directions}", "keep at least one of each stage")

    def rule(self, model: LanguageModel, memory: Memory) -> Directions | None:
        """The directions of all earlier stages."""
        return Directions(memory[KEPT], model.device) if KEPT in memory else None

    def allowed(self, changes: Mapping[str, torch.Tensor], rule: Directions) -> Changes:
        """What of a change of all weights together lies off them."""
        return rule.off(changes)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Add directions of this stage."""
        memory = super().finish(model, examples, memory, run)
        if not examples:
            return memory
        kept = Directions(memory.get(KEPT, {}), model.device)
        rows = rows_of(model, examples, self.directions, run.seed)
        for gradient in gradients_of_rows(model, rows, said, run.meter):
            kept.add({name: each.float() for name, each in gradient.items()})
        return {**memory, KEPT: {name: each.cpu() for name, each in kept.kept.items()}}


def said(logits_NV: torch.Tensor, batch: Packed) -> torch.Tensor:
    """The mean over targets of their logits, relative to the mean of all tokens' logits: to raise all says nothing, and
    where the model is sure of a target a loss would have no gradient, but this has."""
    targets_N1 = batch.targets_N.to(logits_NV.device)[:, None]
    return (logits_NV.gather(1, targets_N1).float()[:, 0] - logits_NV.float().mean(1)).mean()


class Directions:
    """Directions in the space of all weights together, orthonormal but for rounding to bf16."""

    def __init__(self, kept: Mapping[str, torch.Tensor], device: torch.device) -> None:
        self.kept = {name: each.to(device) for name, each in kept.items()}
        """For each weight, as many tensors of its shape as there are directions."""
        self._squares = {name: _products(each, each) for name, each in self.kept.items()}

    def off(self, changes: Mapping[str, torch.Tensor]) -> Changes:
        """Changes without what lies in the span of the directions; a weight that does not change goes on not to."""
        moved = [name for name in self.kept if name in changes and changes[name].any()]
        if not moved:
            return dict(changes)
        # with the directions' own products what is left is exactly off them, rounded as they are
        gram_KK = torch.stack([self._squares[name] for name in moved]).double().sum(0)
        along = torch.stack([_products(self.kept[name], changes[name][None]) for name in moved]).double().sum(0)
        share_K = torch.linalg.solve(gram_KK, along)[:, 0].float()
        taken = {name: torch.tensordot(share_K, self.kept[name].float(), 1) for name in moved}
        return {name: change - taken[name] if name in taken else change for name, change in changes.items()}

    def add(self, gradient: Mapping[str, torch.Tensor]) -> None:
        """Keep one more direction, unless there is nothing new in it."""
        new = self.off(gradient)
        length = _length(new)
        if not length > LEAST * _length(gradient):
            return
        for name, each in new.items():
            added = (each / length).bfloat16()[None]
            before = self.kept.get(name, added[:0])
            self.kept[name] = torch.cat([before, added])
            along_K1, square = _products(before, added), _products(added, added)
            rows = torch.cat([self._squares.get(name, along_K1[:, :0]), along_K1], 1)
            self._squares[name] = torch.cat([rows, torch.cat([along_K1.T, square], 1)])


def _products(some: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """products_KJ of K tensors with J of the same shape."""
    return some.flatten(1).float() @ others.flatten(1).float().T


def _length(changes: Mapping[str, torch.Tensor]) -> float:
    return float(torch.stack([change.double().square().sum() for change in changes.values()]).sum().sqrt())
