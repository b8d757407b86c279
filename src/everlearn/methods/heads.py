"""Examples in, one more head on the start model out: each question is answered by that of the stage that it is like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods._routed import Routed, part
from everlearn.methods.contract import Memory
from everlearn.model.language_model import LanguageModel
from everlearn.model.layers import is_table, layer_of
from everlearn.records import Example
from everlearn.train.run import Run


@dataclass(frozen=True)
class Heads(Routed):
    """Task-relevant heads with the task inferred: each stage has copies of the topmost layers and the norm behind them,
    trained on a trunk that stays the start model's; a router that is told no stage (RanPAC, McDonnell et al.
    2307.02251) chooses for each question one of these heads, or the start model's own."""

    keeps: ClassVar[str] = "the topmost layers for each stage, and sums that tell their questions apart"
    cost: ClassVar[str] = "1×, its questions read once, and writing once"
    only: ClassVar[bool] = True

    learning_rate: float = 5e-4
    """highest learning rate of AdamW; few layers want more than all of them"""
    layers: int = 2
    """topmost layers of which each stage has its own"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.layers < 1:
            raise SettingsError(f"layers is {self.layers}", "give a head at least one layer")

    def own(self, model: LanguageModel) -> list[str]:
        """The topmost layers, and what is in no layer but the tables."""
        return topmost(list(model.masters), self.layers)

    def untaught(self, model: LanguageModel, memory: Memory) -> dict[str, torch.Tensor]:
        """The start model's head, which is kept too: to read a whole model again for every question takes long."""
        head: dict[str, torch.Tensor] = memory[part(0)]
        return {name: each.float() for name, each in head.items()}

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Keep the start model's head, the first time."""
        memory = super().prepare(model, examples, memory, run)
        if not examples or part(0) in memory:
            return memory
        return {**memory, part(0): {name: model.masters[name].bfloat16().cpu() for name in self.own(model)}}

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], memory: Memory, step: int) -> None:
        """Drop the trunk's gradients, so that the optimiser leaves it alone."""
        for name in gradients.keys() - set(self.own(model)):
            del gradients[name]


def topmost(names: Sequence[str], layers: int) -> list[str]:
    """Those of the names that are of the last so many layers, or of none and no table of tokens: all heads share the
    tables, as the first and the last may be one."""
    numbers = {name: layer_of(name) for name in names}
    least = max(number for number in numbers.values() if number is not None) + 1 - layers
    return [name for name, number in numbers.items() if (not is_table(name) if number is None else number >= least)]
