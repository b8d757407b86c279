"""A method that loses everything before each stage, to see whether the benchmark notices."""

from __future__ import annotations

from dataclasses import dataclass

from everlearn.methods.contract import Gradient


@dataclass(frozen=True)
class Forgetter(Gradient):
    """Fine-tuning that begins each stage at the base."""

    def prepare(self, model, examples, memory, run):
        """Go back to the base."""
        model.restore(model.start())
        return memory
