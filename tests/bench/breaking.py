"""A method for tests that cannot learn anything."""

from __future__ import annotations

from dataclasses import dataclass

from everlearn.methods.contract import Method


@dataclass(frozen=True)
class Breaking(Method):
    """Fails."""

    def learn(self, model, examples, memory, run):
        raise RuntimeError("this method is broken")
