"""What a method is given besides model and data: a seed, a meter, checkpoints, and someone to tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter


class Progress(NamedTuple):
    """Where a run is."""

    doing: str
    """What is being done, in a few words."""
    step: int
    steps: int
    loss: float | None = None
    tokens_per_second: float | None = None
    seconds_left: float | None = None


def _silent(progress: Progress) -> None:
    """Nobody is told."""


@dataclass
class Run:
    """One stage being learnt."""

    seed: int
    meter: Meter
    checkpoints: Checkpoints
    tell: Callable[[Progress], None] = field(default=_silent)
