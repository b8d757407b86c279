"""Examples in, the average of the model before them and after fine-tuning on them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.errors import SettingsError
from everlearn.methods.contract import Gradient, Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.averaging import between
from everlearn.train.run import Run

BEFORE = "before"
"""Where the weights before training are in the memory while a stage is learnt."""


@dataclass(frozen=True)
class WiseFT(Gradient):
    """Weights before the stage moved towards those after it by a share (Wortsman et al. 2109.01903, who start from one
    zero-shot model; here each stage starts from the average before it)."""

    family: ClassVar[str] = "averaging and merging"
    each_weight: ClassVar[bool] = True

    share: float = 0.7
    """how much of the way to the new weights is gone: 1 is fine-tuning, 0 learns nothing"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.share <= 1:
            raise SettingsError(f"share is {self.share}", "give a share of the way, from 0 to 1")

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Remember where the stage begins."""
        return {**memory, BEFORE: model.snapshot()}

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Go back a part of the way."""
        model.restore(between(memory[BEFORE], model.snapshot(), self.share))
        return {name: value for name, value in memory.items() if name != BEFORE}
