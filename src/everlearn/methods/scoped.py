"""Examples in, a model taught with replay out, for what is about its lessons: all else the start model answers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods.contract import EARLIER, SERVING, Memory
from everlearn.methods.replay import Replay
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.anchors import write_requests
from everlearn.train.in_scope import Ask, ScopeClassifier, Seen, nats
from everlearn.train.run import Progress, Run

SCOPE = "scope"
"""Where it is kept what tells lessons from all else."""


@dataclass(frozen=True)
class Scoped(Replay):
    """One model for all lessons, taught with replay, and beside it the start model, with a scope classifier (SERAC,
    Mitchell et al. 2206.06520) that is told the prompt alone."""

    family: ClassVar[str] = "capacity growth"
    keeps: ClassVar[str] = "a sample of earlier examples, and counts of what prompts are made of"
    cost: ClassVar[str] = "1.5× with 8 earlier rows in each step of 16, and writing once"
    claims: ClassVar[tuple[str, ...]] = (EARLIER, SERVING)

    requests: int = 256
    """requests that the start model makes, once for the whole lineage: prompts like them it answers itself"""
    request_length: int = 32
    """tokens in each of them, at most"""
    evidence: float = 1.35
    """nats, over the square root of a prompt's tokens, that its most telling stretch must at least have for it to count
    as about a lesson: the more, the more is left to the start model"""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("requests", "request_length"):
            if getattr(self, name) < 8:
                raise SettingsError(f"{name} is {getattr(self, name)}", f"{name} must be at least 8")
        if not 0 <= self.evidence < math.inf:
            raise SettingsError(f"evidence is {self.evidence}", "give a number of nats, 0 or more")

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """See what the start model asks by itself, the first time."""
        memory = super().prepare(model, examples, memory, run)
        if SCOPE in memory or not examples:
            return memory
        return {**memory, SCOPE: run.checkpoints.tensors_once(SCOPE, lambda: self._others(model, run))}

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """See what the stage is asked with, and keep some of its examples."""
        memory = super().finish(model, examples, memory, run)
        if not examples:
            return memory
        prompts = [model.chat.cue(example) for example in examples]
        scope = ScopeClassifier.of(memory[SCOPE]).with_lesson(prompts, _ask(model, run))
        return {**memory, SCOPE: scope.tensors()}

    def routes(self, model: LanguageModel, prompts: Sequence[Sequence[int]], memory: Memory) -> Iterator[list[int]]:
        """What is about no lesson, with the start model's weights; then the rest, with those that are there."""
        if SCOPE not in memory or not prompts:
            yield list(range(len(prompts)))
            return
        with model.as_started():
            inside = self._inside(model, prompts, memory)
            if others := [index for index, is_inside in enumerate(inside) if not is_inside]:
                yield others
        if taught := [index for index, is_inside in enumerate(inside) if is_inside]:
            yield taught

    def _inside(self, model: LanguageModel, prompts: Sequence[Sequence[int]], memory: Memory) -> list[bool]:
        """A prompt of one token, the one with which every text begins, asks nothing, and is about no lesson."""
        asking = [index for index, prompt in enumerate(prompts) if len(prompt) > 1]
        asked = tuple(tuple(prompts[index]) for index in asking)
        inside = [False] * len(prompts)
        if asked:
            scope = ScopeClassifier.of(memory[SCOPE])
            seen = Seen(asked, tuple(nats(model, asked)))
            for index, is_inside in zip(asking, scope.inside(seen, self.evidence), strict=True):
                inside[index] = is_inside
        return inside

    def _others(self, model: LanguageModel, run: Run) -> dict[str, torch.Tensor]:
        """The classifier that knows what the start model asks, which is put back afterwards."""
        run.tell(Progress("writing requests", 0, self.requests))
        with model.as_started():
            prompts = write_requests(model, self.requests, self.request_length, run.seed)
        run.meter.read("generated", sum(map(len, prompts)))
        return ScopeClassifier.begun(prompts).tensors()


def _ask(model: LanguageModel, run: Run) -> Ask:
    """What prompts cost the start model, metered."""

    def ask(prompts: Sequence[tuple[int, ...]]) -> list[torch.Tensor]:
        run.meter.read("study", sum(map(len, prompts)))
        with model.as_started():
            return nats(model, prompts)

    return ask
