"""What a method must be: a model, examples and memory in; a changed model and new memory out."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch

from everlearn.errors import SettingsError
from everlearn.model.adaptation import MARKS, Adaptation
from everlearn.model.adapter import WHERE
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.model.slots import READ
from everlearn.records import Example, Question
from everlearn.train.anchors import Anchors
from everlearn.train.loop import RUNNING, Held, Hooks, Step, fit
from everlearn.train.optimiser import OPTIMISERS, Optimisation
from everlearn.train.run import Run

FAMILIES = (
    "references",
    "regularization",
    "KL penalties",
    "replay",
    "gradient projections",
    "self-distillation",
    "on-policy data",
    "real-time RL",
    "capacity growth",
    "trained KV caches",
    "averaging and merging",
    "editing",
    "meta",
    "the default",
)
"""In the order of the essay, the default last."""

EARLIER, START, SERVING = "which earlier examples come again", "where a stage begins", "which weights answer"
TURN = "what a step is made of when its turn has come"
"""What only one of several methods that train together can decide."""

Memory = dict[str, Any]
"""What a method keeps between stages. A value is plain data, a list of examples, or a dict of tensors."""


class Mixture(NamedTuple):
    """What is learnt from: fresh examples, and old ones of which some go into each step."""

    fresh: Sequence[Example]
    old: Sequence[Example] = ()
    old_per_step: int = 0


@dataclass(frozen=True)
class Method:
    """How a stage changes the model. Settings are fields; everything learnt lives in model and memory."""

    family: ClassVar[str] = ""
    """What sort of method it is: one of FAMILIES."""
    keeps: ClassVar[str] = "nothing"
    """What it keeps between stages beside the weights, in a few words."""
    cost: ClassVar[str] = "1×"
    """What a stage costs, in passes over its rows as fine-tuning makes them."""

    def learn(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Change the model and return the new memory."""
        raise NotImplementedError

    def prompt(self, question: Question, memory: Memory) -> Question:
        """What the model is asked at exam time."""
        return question

    def routes(self, model: LanguageModel, prompts: Sequence[Sequence[int]], memory: Memory) -> Iterator[list[int]]:
        """Numbers of the prompts (tokens) that are answered together, the model being set for them while they are.

        A generator, which puts the model back at its end. It is told the prompts alone. What overrides it claims
        SERVING."""
        yield list(range(len(prompts)))

    def serve(self, model: LanguageModel, memory: Memory) -> None:
        """Have the model answer by this method's routes, until it is told otherwise."""
        model.serve(functools.partial(self.routes, memory=memory) if self.chooses() else None)

    @classmethod
    def chooses(cls) -> bool:
        """Whether it chooses the weights that answer, prompt by prompt."""
        return cls.routes is not Method.routes


@dataclass(frozen=True)
class Gradient(Method):
    """A method that trains. Untouched it is sequential fine-tuning; each hook changes one thing."""

    claims: ClassVar[tuple[str, ...]] = ()
    """What only one of the methods that train together can decide, as EARLIER."""
    grows: ClassVar[bool] = False
    """Whether the weights that it trains become more from stage to stage."""
    each_weight: ClassVar[bool] = False
    """Whether it compares weights, one by one, with what they were: with what grows it cannot be joined."""

    only: ClassVar[bool] = False
    """Whether it can change nothing but what `weights` says by default."""

    weights: str = "full"
    """what may change: `full` (all weights), `neurons` (new ones in the upper layers), `lora` (a low-rank adapter),
    `memory` (slots that are looked up) or `cartridge` (keys and values that all tokens see)"""
    neurons: int = 256
    """new neurons in each layer of the upper half, where weights is `neurons`"""
    slots: int = 4096
    """slots in each of the three memories, a square number, where weights is `memory`"""
    tokens: int = 64
    """tokens of a cartridge, where weights is `cartridge`"""
    rank: int = 32
    """rank of the adapter, where weights is `lora`"""
    where: str = "all"
    """which linear layers carry the adapter: `all`, or `upper` (those in the MLPs of the upper half of the layers)"""
    learning_rate: float = 5e-5
    """highest learning rate of AdamW; a LoRA adapter wants about ten times that of full weights"""
    epochs: int = 3
    """how often each example is seen"""
    rows_per_step: int = 16
    """examples in one optimiser step"""
    least_steps: int = 40
    """optimiser steps that even a small stage gets: it is gone through again until there are so many"""
    tail: float = 0.0
    """share of the steps, counted from the end, whose weights are averaged to the result; 0: the last weights are it"""
    opening: float = 1.0
    """weight of an answer's first token in the loss, relative to each other one: it decides what is recalled"""
    optimiser: str = "adamw"
    """`adamw`, or `muon` for the weight matrices (AdamW beside it); both want learning rates of one size"""

    def __post_init__(self) -> None:
        if self.weights not in MARKS:
            raise SettingsError(f"weights is {self.weights!r}", f"choose one of {', '.join(MARKS)}")
        if self.only and self.weights != type(self).weights:
            name, own = type(self).__module__.rpartition(".")[2], type(self).weights
            raise SettingsError(
                f"weights is {self.weights!r}, and {name} changes `{own}` alone", f"leave weights at `{own}`"
            )
        if math.isqrt(self.slots) ** 2 != self.slots or self.slots < READ**2:
            raise SettingsError(f"slots is {self.slots}", f"give a square number from {READ**2} on, as 4096 or 16384")
        if self.where not in WHERE:
            raise SettingsError(f"where is {self.where!r}", "choose `all` or `upper`")
        if self.optimiser not in OPTIMISERS:
            raise SettingsError(f"optimiser is {self.optimiser!r}", "choose `adamw` or `muon`")
        for name in ("neurons", "tokens", "rank", "learning_rate", "epochs", "rows_per_step", "opening"):
            if getattr(self, name) <= 0:
                raise SettingsError(f"{name} is {getattr(self, name)}", f"{name} must be above zero")
        if not 0 <= self.tail <= 1:
            raise SettingsError(f"tail is {self.tail}", "give a share of the steps, from 0 to 1")

    @property
    def adaptation(self) -> Adaptation:
        """What of a model this method changes."""
        if self.weights == "neurons":
            return Adaptation("neurons", self.neurons)
        if self.weights == "memory":
            return Adaptation("memory", self.slots)
        if self.weights == "cartridge":
            return Adaptation("cartridge", self.tokens)
        return Adaptation("lora", self.rank, self.where) if self.weights == "lora" else Adaptation("full")

    def learn(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Train on the examples by the one loop, with this method's hooks."""
        model.adapt(self.adaptation)
        run.meter.frozen_base = self.weights != "full"
        memory = self.prepare(model, examples, memory, run)
        if self.weights == "cartridge" and examples and not any(bool(one.any()) for one in model.masters.values()):
            raise SettingsError("no method has begun a cartridge", "join one that does: --method cartridges+NAME")
        steps = self._steps(model, self.examples(examples, memory), memory, run.seed)
        held = self.all_held(memory, len(steps))
        planned = [step._replace(held=kept) for step, kept in zip(steps, held, strict=True)]
        live = self.is_live
        how = Optimisation(self.learning_rate, tail=self.tail, opening=self.opening, optimiser=self.optimiser)
        fit(model, _Live(self, model, planned, memory, run) if live else planned, _Bound(self, memory), how, run, live)
        memory = self.finish(model, examples, memory, run)
        return {name: value for name, value in memory.items() if name != RUNNING}

    # --- hooks -----------------------------------------------------------------------------------------

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Before training: anchors, subspaces, resets."""
        return memory

    def examples(self, fresh: Sequence[Example], memory: Memory) -> Mixture:
        """What to learn from; replay mixes in here."""
        return Mixture(fresh)

    def row(self, model: LanguageModel, example: Example, memory: Memory) -> Row:
        """A fresh example as it is trained on: which of its tokens are learnt."""
        return model.chat.example(example)

    def held(self, memory: Memory, steps: int) -> Iterable[Held | None]:
        """For each step the texts on which the model is held to a teacher's beliefs; distillation comes in here."""
        return [None] * steps

    def live(self, model: LanguageModel, step: Step, number: int, memory: Memory, run: Run) -> Step:
        """What a step becomes when its turn has come, looking at the model as it is then: on-policy data come in here.

        Whoever overrides it meters what it reads and writes."""
        return step

    def penalty(self, model: LanguageModel, memory: Memory, step: int) -> torch.Tensor | None:
        """A further loss of the weights at a step."""
        return None

    def weigh(self, nll_N: torch.Tensor, memory: Memory, step: int) -> torch.Tensor | None:
        """By what each target is multiplied in the loss, from the nats that the model gives it now; None: nothing."""
        return None

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], memory: Memory, step: int) -> None:
        """Change the gradients (bf16, by name), in place or by others; NaN is looked for behind it."""

    def after_step(self, model: LanguageModel, memory: Memory, step: int) -> None:
        """Change the masters after the optimiser has moved them: `model.masters[name] = tensor`."""

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """After training: merge, average, remember."""
        return memory

    def running(self, memory: Memory) -> dict[str, torch.Tensor]:
        """Tensors that are carried from step to step beside the masters; they are under RUNNING in the memory, which
        loses them when the stage is over."""
        carried: dict[str, torch.Tensor] = memory.get(RUNNING, {})
        return carried

    def resume(self, memory: Memory, kept: dict[str, torch.Tensor]) -> None:
        """Go on from what was carried before a crash."""
        if kept:
            memory[RUNNING] = kept

    @property
    def is_live(self) -> bool:
        """Whether steps are made by the model as it is when their turn has come."""
        return type(self).live is not Gradient.live

    def all_held(self, memory: Memory, steps: int) -> Iterator[tuple[Held, ...]]:
        """For each step all that the model is held to."""
        return ((held,) if held else () for held in self.held(memory, steps))

    # --- the plan --------------------------------------------------------------------------------------

    def passes(self, examples: int) -> int:
        """How often so many fresh examples are gone through: `epochs` times, or more where that is too few steps."""
        steps_each = max(1, math.ceil(examples / self.rows_per_step))
        return max(self.epochs, math.ceil(self.least_steps / steps_each))

    def _steps(self, model: LanguageModel, mixture: Mixture, memory: Memory, seed: int) -> list[Step]:
        fresh = [(self.row(model, example, memory), example) for example in mixture.fresh]
        shuffle = random.Random(seed)
        recall = _by_turns(model, mixture.old, shuffle)
        steps = []
        for _ in range(self.passes(len(fresh))):
            shuffle.shuffle(fresh)
            for at in range(0, len(fresh), self.rows_per_step):
                recalled = [next(recall) for _ in range(mixture.old_per_step if mixture.old else 0)]
                rows, examples = zip(*fresh[at : at + self.rows_per_step], *recalled, strict=True)
                steps.append(Step(rows, len(recalled), examples=examples))
        return steps


def rows_of(model: LanguageModel, examples: Sequence[Example], count: int, seed: int) -> list[Row]:
    """A sample of at most `count` rows of the examples."""
    chosen = random.Random(seed).sample(list(examples), min(count, len(examples)))
    return [model.chat.example(example) for example in chosen]


def held_in_turn(anchors: Anchors, per_step: int, strength: float, steps: int) -> Iterator[Held | None]:
    """For each step the next so many texts; None where there are none."""
    count = len(anchors.rows)
    for step in range(steps):
        chosen = [number % count for number in range(step * per_step, (step + 1) * per_step)] if count else []
        rows = tuple(anchors.rows[at] for at in chosen)
        yield Held(rows, anchors.teacher(chosen), strength) if rows else None


class _Live(Sequence[Step]):
    """The planned steps, each made by the method when it is asked for."""

    def __init__(
        self, method: Gradient, model: LanguageModel, planned: Sequence[Step], memory: Memory, run: Run
    ) -> None:
        self.method, self.model, self.planned, self.memory, self.run = method, model, planned, memory, run

    def __len__(self) -> int:
        return len(self.planned)

    def __getitem__(self, number: Any) -> Any:
        return self.method.live(self.model, self.planned[number], number, self.memory, self.run)


class _Bound(Hooks):
    """A method's hooks with the memory they work on, in the form the loop calls them."""

    def __init__(self, method: Gradient, memory: Memory) -> None:
        self.method = method
        self.memory = memory

    def penalty(self, model: LanguageModel, step: int) -> torch.Tensor | None:
        return self.method.penalty(model, self.memory, step)

    def weigh(self, nll_N: torch.Tensor, step: int) -> torch.Tensor | None:
        return self.method.weigh(nll_N, self.memory, step)

    def project(self, model: LanguageModel, gradients: dict[str, torch.Tensor], step: int) -> None:
        self.method.project(model, gradients, self.memory, step)

    def after_step(self, model: LanguageModel, step: int) -> None:
        self.method.after_step(model, self.memory, step)

    def running(self) -> dict[str, torch.Tensor]:
        return self.method.running(self.memory)

    def resume(self, kept: dict[str, torch.Tensor]) -> None:
        self.method.resume(self.memory, kept)


def _by_turns(model: LanguageModel, old: Sequence[Example], shuffle: random.Random) -> Iterator[tuple[Row, Example]]:
    """Old rows, one of each file in turn, so that a small file is recalled as often as a large one."""
    files: dict[str, list[tuple[Row, Example]]] = {}
    for example in old:
        files.setdefault(example.origin.file, []).append((model.chat.example(example), example))
    recalls = [_endless(rows, shuffle) for rows in files.values()]
    while True:
        for recall in recalls:
            yield next(recall)


def _endless(rows: list[tuple[Row, Example]], shuffle: random.Random) -> Iterator[tuple[Row, Example]]:
    """Rows in random order, each once before any comes again."""
    while True:
        order = list(rows)
        shuffle.shuffle(order)
        yield from order
