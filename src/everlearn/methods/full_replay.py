"""Examples and all earlier ones in, a model that went on from its present weights with all of them out: a reference."""

from __future__ import annotations

from dataclasses import dataclass

from everlearn.methods._everything import Everything


@dataclass(frozen=True)
class FullReplay(Everything):
    """Replay without a budget: keeps every example and goes on with all of them mixed. What it still loses is not for
    want of data, and what it does worse than `joint` comes of the order in which it learnt."""
