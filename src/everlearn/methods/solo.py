"""Examples in, the start model fine-tuned on them alone out: the reference that has no past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.methods.contract import START, Gradient, Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.run import Run


@dataclass(frozen=True)
class Solo(Gradient):
    """Each stage is learnt by the start model, and so all earlier ones are forgotten on purpose: what a stage is worth
    to a model that has lost nothing and gained nothing."""

    family: ClassVar[str] = "references"
    claims: ClassVar[tuple[str, ...]] = (START,)

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Go back to where everything began."""
        model.restore(model.start())
        return memory
