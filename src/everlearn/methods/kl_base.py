"""Examples in, a model fine-tuned on them that believes of its own texts what the start model did out."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.methods.contract import Gradient, Memory, held_in_turn
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.anchors import Anchors, by_start, write_anchors
from everlearn.train.loop import Held
from everlearn.train.run import Run


@dataclass(frozen=True)
class KLBase(Gradient):
    """KL self-generated replay (Marek et al. 2605.26097): λ · KL(start ‖ model) on texts that the start model wrote by
    itself, with its most likely tokens cached. It keeps general ability, not what earlier stages taught."""

    family: ClassVar[str] = "KL penalties"
    keeps: ClassVar[str] = "texts that the start model wrote, with its beliefs"
    cost: ClassVar[str] = "about 2×, and writing once"

    strength: float = 10.0
    """λ, weight of the KL"""
    anchors: int = 256
    """texts that the start model writes by itself, once for the whole lineage"""
    anchor_length: int = 48
    """tokens in each of these texts, at most"""
    anchors_per_step: int = 8
    """texts whose KL is taken in each step"""

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Have the start model write, the first time."""
        if "anchors" in memory:
            return memory

        def written() -> Anchors:
            write = functools.partial(write_anchors, model, self.anchors, self.anchor_length, run.seed, free_share=1)
            return by_start(model, write, run.meter)

        return {**memory, "anchors": run.checkpoints.tensors_once("anchors", lambda: written().tensors())}

    def held(self, memory: Memory, steps: int) -> Iterable[Held | None]:
        """The texts in turn, with the start model's beliefs."""
        return held_in_turn(Anchors.of(memory["anchors"]), self.anchors_per_step, self.strength, steps)
