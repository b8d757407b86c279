"""Examples in, a model trained by steps that it makes itself when their turn has come, out; the first ones as planned.

What `_rewarded` and `_self_distillation` have in common; no method by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.errors import SettingsError
from everlearn.methods.contract import TURN, Gradient, Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.loop import Held
from everlearn.train.run import Run

WARM = "warm"
"""Where the number of steps that learn the given answers is in the memory while a stage lasts."""


@dataclass(frozen=True)
class OwnSteps(Gradient):
    """Steps on what the model writes by itself, behind some that learn the given answers."""

    claims: ClassVar[tuple[str, ...]] = (TURN,)

    warm: float = 0.0
    """share of the steps, at the beginning, that learn the given answers by cross-entropy"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.warm <= 1:
            raise SettingsError(f"warm is {self.warm}", "give a share of the steps, from 0 to 1")

    def held(self, memory: Memory, steps: int) -> Iterable[Held | None]:
        """Nothing; but here it is told how many steps there are, and so which of them are warm."""
        memory[WARM] = round(self.warm * steps)
        return [None] * steps

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Forget how many steps were warm."""
        return {name: value for name, value in memory.items() if name != WARM}
