"""Questions and right answers in, a model that has answered each once at a time and learnt from the reward out."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods._rewarded import Rewarded
from everlearn.methods.contract import Memory
from everlearn.train.loop import RUNNING


@dataclass(frozen=True)
class Reinforce(Rewarded):
    """REINFORCE with a running baseline (Williams 1992): one answer to a question, as a user gets one, its reward less
    the mean of recent rewards times its log-likelihood. What real-time learning from feedback comes to: there is no
    second answer to the same question to compare with."""

    family: ClassVar[str] = "real-time RL"
    cost: ClassVar[str] = "about 1.2×, half the steps warm"

    decay: float = 0.9
    """share of the baseline that stays in every step: it looks back over about 1 / (1 − decay) steps"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.decay < 1:
            raise SettingsError(f"decay is {self.decay}", "give a share from 0 up to, not including, 1")

    def advantages(self, rewards: Sequence[Sequence[float]], memory: Memory) -> list[list[float]]:
        """Each reward less the mean of those of earlier steps, recent ones first; nothing is expected at the start."""
        earlier = memory.get(RUNNING) or {name: torch.zeros((), dtype=torch.float64) for name in ("reward", "weight")}
        total, weight = float(earlier["reward"]), float(earlier["weight"])
        baseline = total / weight if weight else 0.0
        now = statistics.fmean(reward for group in rewards for reward in group)
        memory[RUNNING] = {
            "reward": torch.tensor(self.decay * total + (1 - self.decay) * now, dtype=torch.float64),
            "weight": torch.tensor(self.decay * weight + (1 - self.decay), dtype=torch.float64),
        }
        return [[reward - baseline for reward in group] for group in rewards]
