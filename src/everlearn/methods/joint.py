"""All examples so far in, a model trained on them together from the start out: the reference to beat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.methods.contract import EARLIER, START, Gradient, Memory, Mixture
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.run import Run


@dataclass(frozen=True)
class Joint(Gradient):
    """Multi-task training: keeps every example and learns all of them anew from the start model."""

    family: ClassVar[str] = "references"
    keeps: ClassVar[str] = "all examples"
    cost: ClassVar[str] = "everything again at each stage"
    claims: ClassVar[tuple[str, ...]] = (EARLIER, START)

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Go back to where everything began."""
        model.restore(model.start())
        return memory

    def examples(self, fresh: Sequence[Example], memory: Memory) -> Mixture:
        """Everything ever seen, in one shuffle."""
        return Mixture([*memory.get("examples", []), *fresh])

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Keep everything."""
        return {**memory, "examples": [*memory.get("examples", []), *examples]}
