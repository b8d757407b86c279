"""Examples in, a model in which few weights have changed, by much more than training changed them, out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.errors import SettingsError
from everlearn.methods.contract import Gradient, Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, digest
from everlearn.train.merging import thinned
from everlearn.train.run import Run

BEFORE = "before"
"""Where the weights before training are in the memory while a stage is learnt."""


@dataclass(frozen=True)
class DARE(Gradient):
    """Drop and rescale (Yu et al. 2311.03099): of what a stage's training has changed a random share is taken back, and
    the rest is made larger by 1 / (1 − share), so that the change is the same in the mean and meets few of the weights
    that other stages changed. What stages leave adds up."""

    family: ClassVar[str] = "averaging and merging"
    each_weight: ClassVar[bool] = True

    drop: float = 0.5
    """share of the changes that are taken back"""
    scale: float = 1.0
    """by what the change that is left is multiplied on top"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.drop < 1 or self.scale <= 0:
            raise SettingsError(
                f"drop is {self.drop}, scale {self.scale}",
                "give a share from 0 up to, not including, 1; a scale above 0",
            )

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Remember where the stage begins."""
        return {**memory, BEFORE: model.snapshot()}

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Take back what is dropped."""
        before = memory[BEFORE]
        if examples:
            # drawn anew for every stage, which a method is not told the number of
            draw = random.Random(f"{run.seed}:{digest([digest(example) for example in examples])}")
            changes = {name: master - before[name] for name, master in model.masters.items()}
            left = thinned(changes, self.drop, draw.randrange(2**32))
            model.restore({name: before[name] + self.scale * change for name, change in left.items()})
        return {name: value for name, value in memory.items() if name != BEFORE}
