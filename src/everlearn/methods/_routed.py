"""What each stage taught, in weights of its own, in; each prompt answered by those of the stage that it is like, out.

What `lora_bank` and `heads` have in common; no method by itself. The stage of a prompt is told by ridge regression on
random features of what the prompt looks like to the start model (`train/ridge.py`). Stages are numbered as they come;
number 0 is the start model's own, told by texts that it writes by itself.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods.contract import SERVING, START, Gradient, Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.anchors import by_start, write_anchors
from everlearn.train.ridge import Ridge
from everlearn.train.run import Progress, Run

ROUTER = "router"
"""Where it is kept what tells stages apart."""

PART = "part_"
"""What the names of a stage's own weights in the memory begin with; its number follows."""


@dataclass(frozen=True)
class Routed(Gradient):
    """Every stage has weights of its own, trained from where the start model has them."""

    family: ClassVar[str] = "capacity growth"
    claims: ClassVar[tuple[str, ...]] = (START, SERVING)

    anchors: int = 256
    """texts that the start model writes by itself, once for the whole lineage: questions like them it answers alone"""
    anchor_length: int = 48
    """tokens in each of these texts, at most"""
    features: int = 1024
    """random features by which stages are told apart: twice their square, in bytes, is kept"""
    ridge: float = 0.01
    """λ of the regression, relative to the mean square of a feature: the higher, the less a single prompt counts"""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("anchors", 8), ("anchor_length", 8), ("features", 1)):
            if getattr(self, name) < least:
                raise SettingsError(f"{name} is {getattr(self, name)}", f"{name} must be at least {least}")
        if self.ridge <= 0:
            raise SettingsError(f"ridge is {self.ridge}", "ridge must be above zero")

    def own(self, model: LanguageModel) -> list[str]:
        """Names of the weights that each stage has to itself."""
        return list(model.masters)

    def untaught(self, model: LanguageModel, memory: Memory) -> dict[str, torch.Tensor]:
        """These weights as the start model has them."""
        return model.start()

    # --- learning --------------------------------------------------------------------------------------

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Go back to where everything began, and look at what is asked in general, the first time."""
        if not examples:
            return memory
        model.restore(model.start())
        if ROUTER in memory:
            return memory
        return {**memory, ROUTER: run.checkpoints.tensors_once("router", lambda: self._general(model, run))}

    def _general(self, model: LanguageModel, run: Run) -> dict[str, torch.Tensor]:
        """The router that knows the start model's own texts."""
        run.tell(Progress("writing anchors", 0, self.anchors))
        write = functools.partial(write_anchors, model, self.anchors, self.anchor_length, run.seed, free_share=1)
        written = by_start(model, write, run.meter)
        asked = [first_request(row.ids, model.chat.turn_of("assistant")) for row in written.rows]
        return Ridge.begun(_states(model, asked, run), self.features).tensors()

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Put the stage's weights and what tells its prompts to those of the others; the start model is left."""
        if not examples:
            return memory
        router = Ridge.of(memory[ROUTER])
        trained = {name: model.masters[name].bfloat16().cpu() for name in self.own(model)}
        model.restore(self.untaught(model, memory))
        router = router.with_lesson(_states(model, [model.chat.cue(example) for example in examples], run))
        return {**memory, ROUTER: router.tensors(), part(len(router.sums_CM) - 1): trained}

    # --- answering -------------------------------------------------------------------------------------

    def routes(self, model: LanguageModel, prompts: Sequence[Sequence[int]], memory: Memory) -> Iterator[list[int]]:
        """Groups of prompts that are answered by the weights of the same stage."""
        if ROUTER not in memory or not prompts:
            yield list(range(len(prompts)))
            return
        untaught, now = self.untaught(model, memory), model.snapshot()
        try:
            model.restore(untaught)
            for number, group in by_stage(model, prompts, Ridge.of(memory[ROUTER]), self.ridge).items():
                taught = memory[part(number)] if number else untaught
                model.restore({name: each.float() for name, each in taught.items()})
                yield group
        finally:
            model.restore(now)


def part(number: int) -> str:
    """The name of a stage's weights in the memory."""
    return f"{PART}{number:06d}"


def by_stage(
    model: LanguageModel, prompts: Sequence[Sequence[int]], router: Ridge, ridge: float
) -> dict[int, list[int]]:
    """Numbers of prompts by those of their stages, in order; the model must be the start model. A prompt of one token,
    the one with which every text begins, asks nothing, and is the start model's."""
    asking = [index for index, prompt in enumerate(prompts) if len(prompt) > 1]
    chosen = dict.fromkeys(range(len(prompts)), 0)
    if asking:
        states_ND = model.pooled([prompts[index] for index in asking])
        chosen.update(zip(asking, router.lessons(states_ND, ridge), strict=True))
    return {number: [index for index in chosen if chosen[index] == number] for number in sorted(set(chosen.values()))}


def first_request(ids: tuple[int, ...], turn: tuple[int, ...]) -> tuple[int, ...]:
    """A conversation up to where its first answer begins, which is behind the `turn`; all where there is none."""
    size = len(turn)
    ends = (at for at in range(size, len(ids) + 1) if ids[at - size : at] == turn)
    return ids[: next(ends, len(ids))]


def _states(model: LanguageModel, prompts: Sequence[tuple[int, ...]], run: Run) -> torch.Tensor:
    """What each distinct prompt looks like to the model: states_ND."""
    distinct = list(dict.fromkeys(prompts))
    run.meter.read("study", sum(map(len, distinct)))
    return model.pooled(distinct)
