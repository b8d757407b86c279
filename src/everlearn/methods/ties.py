"""Examples in, the start model moved by what all stages' trainings agree on out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.errors import SettingsError
from everlearn.methods.contract import START, Gradient, Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.merging import MERGED, elected, folded, trimmed
from everlearn.train.run import Run

CHANGES = "changes"
"""Where it is kept how far stages have moved each weight."""

TRAINED = "trained"
"""Where it is kept how far from the start model the last training ended, in bf16."""


@dataclass(frozen=True)
class TIES(Gradient):
    """TIES-merging (Yadav et al. 2306.01708) after every stage: of how far the stage's training has ended from the
    start model the largest numbers stay; each weight then goes the way that most of all stages' movement went, by the
    mean of the stages that went this way. The model answers with the merged weights; training goes on from where the
    last one ended, so that stages move weights alike (MagMax, Marczak et al. 2407.06322)."""

    family: ClassVar[str] = "averaging and merging"
    keeps: ClassVar[str] = "how far stages moved each weight up and down, and the weights last trained"
    claims: ClassVar[tuple[str, ...]] = (START, MERGED)

    density: float = 0.5
    """share of all changes, the largest ones, that are merged"""
    scale: float = 1.0
    """by what the merged change is multiplied: less forgets the start model less, and the stages more"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.density <= 1 or self.scale <= 0:
            raise SettingsError(
                f"density is {self.density}, scale {self.scale}", "give a density above 0, up to 1, a scale above 0"
            )

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Go from the merged weights to those last trained."""
        if examples and TRAINED in memory:
            start = model.start()
            model.restore({name: start[name] + change.to(start[name]) for name, change in memory[TRAINED].items()})
        return memory

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Add this stage's changes, and set the model to what comes of all."""
        if not examples:
            return memory
        start = model.start()
        changes = {name: master - start[name] for name, master in model.masters.items()}
        kept = folded(memory.get(CHANGES, {}), trimmed(changes, self.density))
        model.restore({name: start[name] + self.scale * change for name, change in elected(kept, start).items()})
        trained = {name: change.bfloat16().cpu() for name, change in changes.items()}
        return {**memory, CHANGES: kept, TRAINED: trained}
