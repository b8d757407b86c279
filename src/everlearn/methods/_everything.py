"""All examples so far in, a model trained on all of them out; what `joint` and `full_replay` have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.methods.contract import EARLIER, Gradient, Memory, Mixture
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.run import Run


@dataclass(frozen=True)
class Everything(Gradient):
    """Training on every example ever seen, those of the new stage among them."""

    family: ClassVar[str] = "references"
    keeps: ClassVar[str] = "all examples"
    cost: ClassVar[str] = "everything again at each stage"
    claims: ClassVar[tuple[str, ...]] = (EARLIER,)

    def examples(self, fresh: Sequence[Example], memory: Memory) -> Mixture:
        """Everything ever seen, in one shuffle."""
        return Mixture([*memory.get("examples", []), *fresh])

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Keep everything."""
        return {**memory, "examples": [*memory.get("examples", []), *examples]}
