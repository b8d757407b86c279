"""Examples in, the running mean of a model's weights while it is fine-tuned on them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.errors import SettingsError
from everlearn.methods.contract import Gradient, Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.loop import RUNNING
from everlearn.train.run import Run


@dataclass(frozen=True)
class EMA(Gradient):
    """A slow copy of the weights follows the fast ones and is what is kept: φ ← decay · φ + (1 − decay) · θ after every
    step (Polyak and Juditsky 1992; over stages as the slow learner of SuRe, 2511.22367). Each stage begins at the slow
    copy."""

    family: ClassVar[str] = "averaging and merging"
    each_weight: ClassVar[bool] = True

    decay: float = 0.95
    """share of the slow copy that stays in every step: it looks back over about 1 / (1 − decay) steps"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.decay < 1:
            raise SettingsError(f"decay is {self.decay}", "give a share from 0 up to, not including, 1")

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """The slow copy begins where the stage does."""
        return {**memory, RUNNING: model.snapshot()}

    def after_step(self, model: LanguageModel, memory: Memory, step: int) -> None:
        """Let the slow copy follow."""
        for name, slow in memory[RUNNING].items():
            slow.lerp_(model.masters[name], 1 - self.decay)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """The slow copy is the result."""
        model.restore(memory[RUNNING])
        return memory
