"""Examples in, a model out that spent its steps on what it did not know yet: known rows sit out.

A row that is known sits out its next turn. With longer intervals, those of the Leitner system, one that is still known
then sits out the next two, then four; one that is not is back in every step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch

from everlearn.errors import SettingsError
from everlearn.methods.contract import TURN, Gradient, Memory
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.loop import Step
from everlearn.train.run import Run

WAITING = "waiting"
"""By the numbers of rows, how they wait; in the memory while training lasts."""

NOW = "now"
"""The numbers of the rows of the step that is under way, each with its targets, likewise."""


class Waiting(NamedTuple):
    """How a row waits."""

    times: int = 0
    """How often it was known, the last times that it was trained on."""
    turns: int = 0
    """Turns that it still sits out."""


@dataclass(frozen=True)
class SpacedRepetition(Gradient):
    """Steps without the rows that the model knows, whose turns come more rarely (spaced repetition, Amiri et al. 2017,
    "Repeat before forgetting")."""

    family: ClassVar[str] = "on-policy data"
    cost: ClassVar[str] = "about 0.8×"
    claims: ClassVar[tuple[str, ...]] = (TURN,)

    known: float = 0.5
    """nats below which each target of a row must be for the row to be known"""
    longest: int = 1
    """turns that a row sits out at most"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.known <= 0:
            raise SettingsError(f"known is {self.known}", "known must be above zero")
        if self.longest < 1:
            raise SettingsError(f"longest is {self.longest}", "longest must be at least 1")

    def live(self, model: LanguageModel, step: Step, number: int, memory: Memory, run: Run) -> Step:
        """The step without the rows that sit out, unless it would be empty."""
        waiting: dict[int, Waiting] = memory.setdefault(WAITING, {})
        numbers = [_number(row) for row in step.rows]
        sitting = {each for each in numbers if waiting.get(each, Waiting()).turns}
        waiting.update({each: waiting[each]._replace(turns=waiting[each].turns - 1) for each in sitting})
        kept = [at for at, each in enumerate(numbers) if each not in sitting] or list(range(len(numbers)))
        memory[NOW] = [(numbers[at], step.rows[at].targets) for at in kept]
        fresh = len(step.rows) - step.replayed
        return step._replace(
            rows=tuple(step.rows[at] for at in kept),
            replayed=sum(at >= fresh for at in kept),
            weights=tuple(step.weights[at] for at in kept if step.weights),
            examples=tuple(step.examples[at] for at in kept if step.examples),
        )

    def weigh(self, nll_N: torch.Tensor, memory: Memory, step: int) -> torch.Tensor | None:
        """Nothing is weighed: how long each row waits is noted."""
        numbers, targets = zip(*memory[NOW], strict=True)
        waiting: dict[int, Waiting] = memory[WAITING]
        for number, cost in zip(numbers, nll_N.split(targets), strict=True):
            if float(cost.max()) < self.known:
                times = waiting.get(number, Waiting()).times + 1
                waiting[number] = Waiting(times, min(2 ** (times - 1), self.longest))
            else:
                waiting.pop(number, None)
        return None

    def running(self, memory: Memory) -> dict[str, torch.Tensor]:
        """How all rows wait."""
        rows = [(number, *how) for number, how in sorted(memory.get(WAITING, {}).items())]
        return {WAITING: torch.tensor(rows, dtype=torch.int64).reshape(-1, 3)}

    def resume(self, memory: Memory, kept: dict[str, torch.Tensor]) -> None:
        """Have them wait again."""
        memory[WAITING] = {number: Waiting(*how) for number, *how in kept[WAITING].tolist()} if kept else {}

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Nothing is kept between stages."""
        return {name: value for name, value in memory.items() if name not in (WAITING, NOW)}


def _number(row: Row) -> int:
    """By which a row is told, in eight bytes."""
    told = repr((row.ids, row.learn)).encode()
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), signed=True)
