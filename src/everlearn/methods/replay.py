"""Examples and a buffer of earlier ones in, a model trained on both and the refreshed buffer out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.methods.contract import EARLIER, Gradient, Memory, Mixture
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.buffer import within_budget
from everlearn.train.run import Run


@dataclass(frozen=True)
class Replay(Gradient):
    """Fine-tuning with a sample of what was taught earlier in every step (experience replay)."""

    family: ClassVar[str] = "replay"
    keeps: ClassVar[str] = "a sample of earlier examples"
    cost: ClassVar[str] = "1.5× with 8 earlier rows in each step of 16"
    claims: ClassVar[tuple[str, ...]] = (EARLIER,)

    budget: int = 100_000
    """bytes of earlier examples that are kept"""
    old_per_step: int = 8
    """earlier examples in each step, on top of the new ones"""

    def examples(self, fresh: Sequence[Example], memory: Memory) -> Mixture:
        """Fresh examples, with old ones from the buffer in each step."""
        return Mixture(fresh, memory.get("examples", []), self.old_per_step)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Sample the new stage into the buffer."""
        kept = within_budget(memory.get("examples", []), examples, self.budget, run.seed)
        return {**memory, "examples": kept}
