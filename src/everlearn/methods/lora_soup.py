"""Examples in, one more adapter beside the earlier ones, and how much of each the model takes in every layer, out."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods.contract import START, Gradient, Memory
from everlearn.model.adapter import SECOND, part_of, side_by_side
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.buffer import evenly, shares_of, with_shares
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.loop import Hooks, Step, fit
from everlearn.train.merging import MERGED
from everlearn.train.optimiser import Optimisation, those
from everlearn.train.run import Run

BEFORE = "before"
"""Where the earlier stages' adapters are in the memory while a stage is learnt."""

FORGET, FORGET_SQUARE = 0.9, 0.999
"""Of Adam's running means of the gradients and of their squares, what stays in every step."""


@dataclass(frozen=True)
class LoRASoup(Gradient):
    """LoRA Soups by concatenation (CAT, Prabhakar et al. 2410.13025): each stage trains a LoRA adapter alone from the
    start model. All of them then stand side by side, ΔW = Σ αᵢ Bᵢ Aᵢ, and in every layer the scalars αᵢ alone are
    learnt, on some examples of all stages."""

    family: ClassVar[str] = "capacity growth"
    keeps: ClassVar[str] = "an adapter for each stage, in the weights, and some examples"
    cost: ClassVar[str] = "1×, and some steps on all stages"
    claims: ClassVar[tuple[str, ...]] = (START, MERGED)
    grows: ClassVar[bool] = True
    only: ClassVar[bool] = True

    weights: str = "lora"
    """what may change: here always `lora` (a low-rank adapter)"""
    rank: int = 8
    """rank of each stage's adapter"""
    learning_rate: float = 2e-3
    """highest learning rate of AdamW"""
    budget: int = 100_000
    """bytes of examples that are kept, of every stage as many"""
    mixing_steps: int = 40
    """steps in which the scalars are learnt, each on `rows_per_step` of the kept examples"""
    mixing_rate: float = 0.02
    """highest learning rate of the scalars, which begin at 1 for the new adapter, and where they are for old ones"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.budget < 0 or self.mixing_steps < 0 or self.mixing_rate <= 0:
            raise SettingsError(
                f"budget is {self.budget}, mixing_steps {self.mixing_steps}, mixing_rate {self.mixing_rate}",
                "give none of them below zero, and a rate above it",
            )

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Put the earlier adapters aside; a fresh one begins alone, with other directions than they began with."""
        if not examples:
            return memory
        old = model.taught_rank
        if not old:
            model.restore(model.start())
            return memory
        before = model.snapshot()
        model.resize(old + self.rank)
        model.restore(part_of(model.snapshot(), slice(old, None)))
        return {**memory, BEFORE: before}

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Put all adapters side by side, and learn how much of each is taken."""
        memory = dict(memory)
        before = memory.pop(BEFORE, None)
        fresh = list(dict.fromkeys(examples))
        random.Random(run.seed).shuffle(fresh)
        memory = with_shares(memory, evenly([*shares_of(memory), fresh], self.budget))
        if before:
            model.restore(side_by_side(before, model.snapshot()))
            self._mix(model, shares_of(memory), run)
        return memory

    def _mix(self, model: LanguageModel, shares: Sequence[Sequence[Example]], run: Run) -> None:
        """Learn the scalars by the one loop, on rows of all stages in turn."""
        steps = mixed_steps(model, shares, self.mixing_steps, self.rows_per_step, run.seed)
        kept = run.checkpoints
        apart = Checkpoints(kept.folder / "mixing", run.meter, kept.every_seconds)
        mixing = Mixing(model, self.rank, len(steps), self.mixing_rate)
        fit(model, steps, mixing, Optimisation(self.mixing_rate, opening=self.opening), replace(run, checkpoints=apart))


class Mixing(Hooks):
    """Has a loop learn how much of each adapter is taken, and nothing else: of every matrix B a scalar for each `rank`
    columns. With B scaled, ∂L/∂α is the product of its gradient and the B that is scaled, summed up."""

    def __init__(self, model: LanguageModel, rank: int, steps: int, rate: float) -> None:
        self.rank, self.steps, self.rate = rank, steps, rate
        self.seconds = {name: master for name, master in model.masters.items() if SECOND in name}
        ones = {name: torch.ones(each.shape[1] // rank, device=each.device) for name, each in self.seconds.items()}
        self.scalars = ones
        self.means = {name: torch.zeros_like(each) for name, each in ones.items()}
        self.squares = {name: torch.zeros_like(each) for name, each in ones.items()}

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], step: int) -> None:
        """Take all gradients from the loop, and move the scalars by theirs: Adam, at a rate that falls to zero."""
        rate = self.rate * (1 - step / self.steps)
        for name, second_OR in self.seconds.items():
            products_R = (gradients[name].float() * second_OR).sum(0)
            slope_S = products_R.view(-1, self.rank).sum(1)
            mean_S, square_S = self.means[name], self.squares[name]
            mean_S.lerp_(slope_S, 1 - FORGET)
            square_S.lerp_(slope_S.square(), 1 - FORGET_SQUARE)
            whole, whole_square = 1 - FORGET ** (step + 1), 1 - FORGET_SQUARE ** (step + 1)
            self.scalars[name] -= rate * (mean_S / whole) / ((square_S / whole_square).sqrt() + 1e-8)
        gradients.clear()

    def after_step(self, model: LanguageModel, step: int) -> None:
        """Take as much of each as its scalar says."""
        for name, second_OR in self.seconds.items():
            model.masters[name] = second_OR * self.scalars[name].repeat_interleave(self.rank)

    def running(self) -> Mapping[str, torch.Tensor]:
        """The scalars, and what Adam keeps of them."""
        kinds = {"scalar": self.scalars, "mean": self.means, "square": self.squares}
        return {f"{kind}:{name}": each for kind, own in kinds.items() for name, each in own.items()}

    def resume(self, kept: dict[str, torch.Tensor]) -> None:
        """Go on with these."""
        for kind, own in (("scalar", self.scalars), ("mean", self.means), ("square", self.squares)):
            own.update(those(kind, kept))


def mixed_steps(
    model: LanguageModel, shares: Sequence[Sequence[Example]], steps: int, rows: int, seed: int
) -> list[Step]:
    """So many steps of rows of all stages in turn; those of the last, which is new, stand first."""
    if not shares:
        return []
    drawn = random.Random(seed)
    made = []
    for step in range(steps):
        numbers = sorted((at % len(shares) for at in range(step * rows, (step + 1) * rows)), reverse=True)
        chosen = [drawn.choice(shares[number]) for number in numbers]
        old = sum(number < len(shares) - 1 for number in numbers)
        made.append(Step(tuple(model.chat.example(example) for example in chosen), old, examples=tuple(chosen)))
    return made
