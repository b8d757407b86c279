"""Questions and right answers in, a model whose own right answers have become likelier and wrong ones rarer out."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.errors import SettingsError
from everlearn.methods._rewarded import Rewarded
from everlearn.methods.contract import Memory
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.anchors import KEPT
from everlearn.train.beliefs import Pair, judged
from everlearn.train.loop import Held
from everlearn.train.losses import Teacher
from everlearn.train.run import Run

REFERENCE = "reference"
"""Where the model before the stage is in the memory while it lasts, if the new one is held to it."""

LEAST_DEVIATION = 1e-4
"""What is added to the standard deviation that advantages are divided by, as TRL does."""


@dataclass(frozen=True)
class GRPO(Rewarded):
    """Group relative policy optimisation (Shao et al. 2402.03300) with verifiable rewards: several answers to each
    question, the advantage of each is its reward less the group's mean, over the group's standard deviation. Answers
    are used for one step, and the loss is a mean over tokens (DAPO, Yu et al. 2503.14476), so that nothing is clipped
    and long answers count by their length."""

    family: ClassVar[str] = "real-time RL"
    cost: ClassVar[str] = "2× to 5× with 8 answers to each question, half the steps warm"

    samples: int = 8
    """answers that are written to each question in a step"""
    scaled: bool = True
    """whether advantages are divided by the group's standard deviation; not in Dr. GRPO (Liu et al. 2503.20783)"""
    strength: float = 0.0
    """β, weight of KL(model ‖ before the stage) on the answers it writes; 0 needs no second model"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.samples < 2 or self.strength < 0:
            raise SettingsError(
                f"samples is {self.samples}, strength {self.strength}",
                "give at least two samples, a group, and a strength from 0",
            )

    @property
    def each(self) -> int:
        """A group."""
        return self.samples

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Keep the model as it is beside the one that learns, if it is to be held to it."""
        return {**memory, REFERENCE: model.twin()} if self.strength else memory

    def advantages(self, rewards: Sequence[Sequence[float]], memory: Memory) -> list[list[float]]:
        """Each group by itself."""
        return [advantages_of(group, self.scaled) for group in rewards]

    def near(self, model: LanguageModel, rows: Sequence[Row], memory: Memory, run: Run) -> tuple[Held, ...]:
        """β · KL(model ‖ reference) on all answers, over the model's most likely tokens at each place."""
        if not self.strength:
            return ()
        pairs = [Pair(row, row) for row in rows]
        believed = judged(model, memory[REFERENCE], pairs, 1.0, KEPT, run.meter)
        return (Held(tuple(rows), Teacher.joined(believed), self.strength, alpha=1.0),)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Let the reference go."""
        memory = super().finish(model, examples, memory, run)
        return {name: value for name, value in memory.items() if name != REFERENCE}


def advantages_of(rewards: Sequence[float], scaled: bool) -> list[float]:
    """By how much each reward of a group is above its mean, in standard deviations if `scaled`; exactly 0 where all are
    equal."""
    if min(rewards) == max(rewards):
        return [0.0] * len(rewards)
    mean = statistics.fmean(rewards)
    unit = statistics.stdev(rewards) + LEAST_DEVIATION if scaled else 1.0
    return [(reward - mean) / unit for reward in rewards]
