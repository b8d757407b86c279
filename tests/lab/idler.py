"""A method that takes no step, to see whether the benchmark names it."""

from __future__ import annotations

from dataclasses import dataclass

from everlearn.methods.contract import Method


@dataclass(frozen=True)
class Idler(Method):
    """Does nothing."""

    def learn(self, model, examples, memory, run):
        """Leave everything as it is."""
        model.adapt(model.adaptation)
        return memory
