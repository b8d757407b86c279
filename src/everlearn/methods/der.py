"""Examples, and earlier ones with what was believed of them then, in; a model that learnt and still believes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods.contract import EARLIER, Gradient, Memory, held_in_turn
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.anchors import KEPT as MOST_LIKELY
from everlearn.train.anchors import Anchors, believe
from everlearn.train.buffer import KEPT, bytes_of, within_budget
from everlearn.train.loop import Held
from everlearn.train.losses import Teacher
from everlearn.train.run import Run

BELIEFS = "beliefs"
"""Where the rows are kept with what was believed at their targets."""

RECALLED = "recalled"
"""Where those of them that are to be recalled are in the memory while a stage lasts."""


@dataclass(frozen=True)
class DER(Gradient):
    """Dark experience replay (Buzzega et al. 2004.07211), with targets DER++: earlier examples are kept with what the
    model believed when it had just learnt them, and it is held to these beliefs, α · KL(then ‖ now), and to what was
    taught, β · cross-entropy."""

    family: ClassVar[str] = "replay"
    keeps: ClassVar[str] = "a sample of earlier examples, with the beliefs held of them"
    cost: ClassVar[str] = "2× with 8 and 8 earlier rows in each step of 16, and a pass over what is kept"
    claims: ClassVar[tuple[str, ...]] = (EARLIER,)

    budget: int = 400_000
    """bytes of earlier examples and beliefs that are kept; beliefs are most of them"""
    old_per_step: int = 8
    """earlier examples in each step whose beliefs are held, and as many others whose targets are learnt"""
    alpha: float = 1.0
    """weight of the KL to the beliefs, relative to the loss on the new examples"""
    beta: float = 0.5
    """weight of the cross-entropy on the earlier examples' targets (DER++); 0 for beliefs alone (DER)"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.alpha < 0 or self.beta < 0:
            raise SettingsError(f"alpha is {self.alpha}, beta {self.beta}", "give weights of 0 or more")

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Recall what was believed of the examples that are still kept: some may have been retired meanwhile."""
        known = _known(memory)
        rows = [model.chat.example(example) for example in memory.get(KEPT, [])]
        return {**memory, RECALLED: _together({row: known[row] for row in rows if row in known})}

    def all_held(self, memory: Memory, steps: int) -> Iterator[tuple[Held, ...]]:
        """For each step earlier rows with their beliefs, and others with their targets, half the buffer further on."""
        recalled: Anchors = memory[RECALLED]
        half = len(recalled.rows) // 2
        taught = _taught(Anchors(recalled.rows[half:] + recalled.rows[:half], ()))
        parts = [
            held_in_turn(anchors, self.old_per_step, weight, steps)
            for anchors, weight in ((recalled, self.alpha), (taught, self.beta))
            if weight > 0
        ]
        return (tuple(held for part in parts if (held := next(part)) is not None) for _ in range(steps))

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Sample the new stage into the buffer, with what the model believes now; of what was there before it stays
        what was believed then."""
        row_of = {example: model.chat.example(example) for example in (*memory.get(KEPT, []), *examples)}

        def size(example: Example) -> int:
            return bytes_of(example) + _bytes_of_row(row_of[example])

        kept = within_budget(memory.get(KEPT, []), examples, self.budget, run.seed, size)
        known = _known(memory)
        new = list(dict.fromkeys(row_of[example] for example in kept if row_of[example] not in known))
        run.meter.read("teacher", sum(len(row.ids) for row in new))
        known |= dict(zip(new, believe(model, new).teachers, strict=True))
        beliefs = _together({row_of[example]: known[row_of[example]] for example in kept})
        others = {name: value for name, value in memory.items() if name not in (KEPT, BELIEFS, RECALLED)}
        return {**others, KEPT: kept, **({BELIEFS: beliefs.tensors()} if kept else {})}


def _known(memory: Memory) -> dict[Row, Teacher]:
    """By row what was believed at its targets."""
    if BELIEFS not in memory:
        return {}
    kept = Anchors.of(memory[BELIEFS])
    return dict(zip(kept.rows, kept.teachers, strict=True))


def _together(teachers: dict[Row, Teacher]) -> Anchors:
    return Anchors(tuple(teachers), tuple(teachers.values()))


def _taught(anchors: Anchors) -> Anchors:
    """The rows with a teacher that is sure of their targets: the KL to it is their cross-entropy."""
    targets = [
        torch.tensor([[token] for token, learn in zip(row.ids, row.learn, strict=True) if learn])
        for row in anchors.rows
    ]
    return Anchors(anchors.rows, tuple(Teacher(ids_N1, torch.zeros(ids_N1.shape)) for ids_N1 in targets))


def _bytes_of_row(row: Row) -> int:
    """What `Anchors.tensors` keeps of a row: its length, tokens and targets, and ids and fp16 values of beliefs."""
    return 4 + 5 * len(row.ids) + 6 * MOST_LIKELY * row.targets
