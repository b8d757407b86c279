"""Examples and a buffer of earlier ones in, a model trained on both and the refreshed buffer out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.errors import SettingsError
from everlearn.methods.contract import EARLIER, Gradient, Memory, Mixture
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.buffer import KEPT, evenly, shares_of, with_shares, within_budget
from everlearn.train.run import Run

SELECTIONS = ("reservoir", "hardest", "unlearnt")
"""What may be kept of a stage."""

NATS = "nats"
"""Where what each example cost before the stage is in the memory while it lasts."""


@dataclass(frozen=True)
class Replay(Gradient):
    """Fine-tuning with a sample of what was taught earlier in every step (experience replay), or with what was most
    surprising of it (SuRe, Hazard et al. 2511.22367)."""

    family: ClassVar[str] = "replay"
    keeps: ClassVar[str] = "a sample of earlier examples"
    cost: ClassVar[str] = "1.5× with 8 earlier rows in each step of 16"
    claims: ClassVar[tuple[str, ...]] = (EARLIER,)

    budget: int = 100_000
    """bytes of earlier examples that are kept"""
    old_per_step: int = 8
    """earlier examples in each step, on top of the new ones"""
    selection: str = "reservoir"
    """what is kept: `reservoir` (a random sample of all stages), or as many bytes of each stage, namely what cost the
    model most nats before it learnt the stage (`hardest`) or still does thereafter (`unlearnt`)"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.selection not in SELECTIONS:
            raise SettingsError(
                f"selection is {self.selection!r}", f"choose {', '.join(f'`{name}`' for name in SELECTIONS)}"
            )

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """See what the stage's examples cost before they are learnt, if that decides."""
        return {**memory, NATS: _nats(model, examples, run)} if self.selection == "hardest" else memory

    def examples(self, fresh: Sequence[Example], memory: Memory) -> Mixture:
        """Fresh examples, with old ones from the buffer in each step."""
        return Mixture(fresh, [old for share in shares_of(memory) for old in share], self.old_per_step)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Take what is to be kept of the new stage into the buffer."""
        shares = shares_of(memory)
        others = with_shares({name: value for name, value in memory.items() if name != NATS}, [])
        if self.selection == "reservoir":
            old = [example for share in shares for example in share]
            return {**others, KEPT: within_budget(old, examples, self.budget, run.seed)}
        nats = memory[NATS] if self.selection == "hardest" else _nats(model, examples, run)
        ranked = sorted(examples, key=lambda example: nats[example], reverse=True)
        return with_shares(others, evenly([*shares, ranked], self.budget))


def _nats(model: LanguageModel, examples: Sequence[Example], run: Run) -> dict[Example, float]:
    """What a target of each example costs the model as it is, on average."""
    rows = [model.chat.example(example) for example in examples]
    run.meter.read("study", sum(len(row.ids) for row in rows))
    return dict(zip(examples, (forced.nll for forced in model.force(rows)), strict=True))
