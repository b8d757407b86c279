"""Examples in, a model fine-tuned on them that believes of its own texts what it did before the stage out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.methods.contract import Gradient, Memory, held_in_turn
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.anchors import Anchors, metered, write_anchors
from everlearn.train.loop import Held
from everlearn.train.run import Run

WRITTEN = "written"
"""Where the texts are in the memory while a stage is learnt."""


@dataclass(frozen=True)
class KLPrevious(Gradient):
    """λ · KL(before ‖ model) on texts that the model wrote by itself before each stage, anew each time. Its teacher has
    learnt the earlier stages, and drifts with them: what is lost once is held no more."""

    family: ClassVar[str] = "KL penalties"
    cost: ClassVar[str] = "about 2×, and writing before each stage"

    strength: float = 10.0
    """λ, weight of the KL"""
    anchors: int = 128
    """texts that the model writes by itself before each stage"""
    anchor_length: int = 48
    """tokens in each of these texts, at most"""
    anchors_per_step: int = 8
    """texts whose KL is taken in each step"""

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Have the model write as it is now."""
        return {**memory, WRITTEN: run.checkpoints.tensors_once("written", lambda: self._written(model, run).tensors())}

    def _written(self, model: LanguageModel, run: Run) -> Anchors:
        return metered(write_anchors(model, self.anchors, self.anchor_length, run.seed, free_share=1), run.meter)

    def held(self, memory: Memory, steps: int) -> Iterable[Held | None]:
        """The texts in turn, with the beliefs of who wrote them."""
        return held_in_turn(Anchors.of(memory[WRITTEN]), self.anchors_per_step, self.strength, steps)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Forget the texts: the next stage has its own."""
        return {name: value for name, value in memory.items() if name != WRITTEN}
