"""Examples in, a model fine-tuned on them that keeps saying on their prompts what it said before out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.methods.contract import Gradient, Memory, held_in_turn, rows_of
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.anchors import Anchors, believe
from everlearn.train.loop import Held
from everlearn.train.run import Run

BELIEFS = "beliefs"
"""Where what the model believed before the stage is in the memory while it is learnt."""


@dataclass(frozen=True)
class LwF(Gradient):
    """Learning without forgetting (Li and Hoiem 1606.09282): KL from the model before the stage, on the stage's own
    inputs. It needs no earlier data, and works against the lesson where the two disagree."""

    family: ClassVar[str] = "regularization"
    cost: ClassVar[str] = "2×, and a pass over the lesson"

    strength: float = 1.0
    """λ, weight of the KL"""
    held_per_step: int = 8
    """rows of the lesson whose KL is taken in each step"""

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Ask the model as it is what it believes about the lesson."""
        rows = rows_of(model, examples, len(examples), run.seed)
        run.meter.read("teacher", sum(len(row.ids) for row in rows))
        return {**memory, BELIEFS: believe(model, rows)}

    def held(self, memory: Memory, steps: int) -> Iterable[Held | None]:
        """The lesson's rows in turn, with what was believed of them."""
        beliefs: Anchors = memory[BELIEFS]
        return held_in_turn(beliefs, self.held_per_step, self.strength, steps)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Forget the beliefs: they are of this stage."""
        return {name: value for name, value in memory.items() if name != BELIEFS}
