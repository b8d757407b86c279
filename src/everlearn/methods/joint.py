"""All examples so far in, a model trained on them together from the start out: the reference to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.methods._everything import Everything
from everlearn.methods.contract import EARLIER, START, Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.run import Run


@dataclass(frozen=True)
class Joint(Everything):
    """Multi-task training: keeps every example and learns all of them anew from the start model."""

    claims: ClassVar[tuple[str, ...]] = (EARLIER, START)

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Go back to where everything began."""
        model.restore(model.start())
        return memory
