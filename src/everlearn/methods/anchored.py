"""Examples in, a model that learnt them and kept its habits and its earlier stages out: the default.

Cross-entropy on the new examples, with earlier ones of every stage in each step. What keeps old habits depends on what
may change. New neurons (the default) are shut wherever the lesson is not asked for, by a scope that is solved for on
texts that the start model wrote itself, on such texts beside something of the lesson, and on its answers to questions
like the lesson's about something else; a penalty on what they still say there does the rest, and another one holds them
to what they said on earlier lessons. All weights or an adapter are held by λ · KL from the start model's cached beliefs
on the same texts (Marek et al. 2605.26097). After training comes the average of old and new weights that moves habits
least while keeping what was learnt (WiSE-FT, Wortsman et al. 2109.01903), if habits have moved.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from everlearn.errors import SettingsError
from everlearn.methods.contract import EARLIER, Gradient, Memory, Mixture, held_in_turn
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, Message
from everlearn.study.neighbours import neighbours
from everlearn.train.anchors import FREE, Anchors, beside, by_start, write_anchors, write_answers
from everlearn.train.averaging import settle
from everlearn.train.buffer import within_budget
from everlearn.train.loop import Held
from everlearn.train.run import Progress, Run

SILENT_TOKENS = 192
"""Tokens outside their scope, and of earlier lessons, at which new neurons are listened to in each step."""

BESIDE = 32
"""Texts that are also read with something of the lesson in front."""

ANSWER_BEGUN = 64
"""Tokens of an answer that are looked at for the scope."""

BEFORE = "before"
"""Where the weights before training are in the memory while it lasts."""

HOLD = "hold"
"""Where the stage's constancy is, likewise."""

TURNS = "turns"
"""Where it is kept how many stages have begun, if each has texts of its own."""

SEEDS_APART = 1_000_003
"""Between the seeds by which two stages write."""

CORRECTING = 0.05
"""Share of the constancy in a stage with corrections: what lies near a corrected fact must be free to change too."""

LESSON_SAMPLE = 48
"""Training rows, of the old ones and of the new ones, by which averaging sees what is known."""

SCOPE_SAMPLE = 120
"""Training rows from which new neurons learn when to answer."""

KEPT_SAMPLE = 240
"""Earlier rows on which they are to go on saying what they say."""


@dataclass(frozen=True)
class Anchored(Gradient):
    """New data by cross-entropy; old habits by neurons that are shut elsewhere, or by KL; old stages by replay."""

    family: ClassVar[str] = "the default"
    keeps: ClassVar[str] = "texts of the start model with its beliefs, a sample of earlier examples"
    cost: ClassVar[str] = "about 2×, and writing before each stage"
    claims: ClassVar[tuple[str, ...]] = (EARLIER,)

    weights: str = "neurons"
    """what may change: `full` (all weights), `neurons` (new ones in the upper layers) or `lora` (a low-rank adapter)"""
    where: str = "upper"
    """which linear layers carry the adapter: `all`, or `upper` (those in the MLPs of the upper half of the layers)"""
    learning_rate: float = 5e-4
    """highest learning rate of AdamW; new neurons want 5e-4, a LoRA adapter 3e-3, full weights 2e-4"""
    epochs: int = 2
    """how often each example is seen"""
    rows_per_step: int = 8
    """examples in one optimiser step"""
    least_steps: int = 72
    """optimiser steps that even a small stage gets: it is gone through again until there are so many"""
    tail: float = 0.4
    """share of the steps, counted from the end, whose weights are averaged to the result; 0: the last weights are it"""
    opening: float = 2.0
    """weight of an answer's first token in the loss, relative to each other one: it decides what is recalled"""
    strength: float = 2.5
    """λ, the weight of the KL to the start model, unless weights is `neurons`"""
    anchors: int = 96
    """texts that the start model writes by itself"""
    free: float = FREE
    """share of them that are sampled with no beginning given; the others are short requests with short answers"""
    anew: bool = False
    """whether they are other ones in each stage, and none are kept; else they are written once for the whole lineage"""
    neighbours: int = 48
    """its answers to questions like those of the lessons, but about something else, that are kept at most"""
    anchor_length: int = 48
    """tokens in each of these texts, at most"""
    anchors_per_step: int = 1
    """texts whose KL is taken in each step, unless weights is `neurons`"""
    budget: int = 200_000
    """bytes of earlier examples that are kept"""
    old_per_step: int = 8
    """earlier examples in each step, on top of the new ones"""
    silence: float = 40.0
    """weight of how loud new neurons are outside their scope, relative to the old ones; where weights is `neurons`"""
    constancy: float = 20.0
    """weight of how far they stray from what they said on earlier lessons, relative to the old ones; likewise"""
    average: bool = True
    """whether old and new weights are averaged after training"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.free <= 1:
            raise SettingsError(f"free is {self.free}", "give a share of the anchors, from 0 to 1")
        for name, least in (("anchors", 8), ("anchor_length", 8), ("neighbours", 0), ("anchors_per_step", 0)):
            if getattr(self, name) < least:
                raise SettingsError(f"{name} is {getattr(self, name)}", f"{name} must be at least {least}")

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Have the start model write anchors, once for the whole lineage or `anew`, and answer what lies near."""
        turn = memory.get(TURNS, 0)
        general = (None if self.anew else memory.get("anchors")) or run.checkpoints.tensors_once(
            "anchors", lambda: by_start(model, lambda: self._anchors(model, run, turn), run.meter).tensors()
        )
        memory = {**memory, "anchors": general, **({TURNS: turn + 1} if self.anew else {})}
        # where there are some already half as many will do: writing them takes time
        if asked := neighbours(examples, self.neighbours // (2 if "neighbours" in memory else 1), run.seed):
            near = run.checkpoints.tensors_once(
                "neighbours",
                lambda: by_start(model, lambda: self._near(model, asked, memory, run.seed), run.meter).tensors(),
            )
            memory = {**memory, "neighbours": near}
        if not examples:
            return memory
        if self.weights == "neurons":
            self._aim(model, examples, memory, run.seed)
        correcting = any(example.origin.strategy == "correction" for example in examples)
        return {**memory, BEFORE: model.snapshot(), HOLD: self.constancy * (CORRECTING if correcting else 1.0)}

    def _aim(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, seed: int) -> None:
        """Tell new neurons where to answer, where to go on as before, and where to be silent."""
        old = memory.get("examples", [])
        fresh = _begun(model, examples, SCOPE_SAMPLE)
        earlier = _begun(model, old, KEPT_SAMPLE)
        model.aim(
            [fresh, model.chat.openings(fresh)],
            [earlier, model.chat.openings(earlier)],
            self._outside(model, (*examples, *old), memory, seed),
        )

    def _anchors(self, model: LanguageModel, run: Run, turn: int) -> Anchors:
        run.tell(Progress("writing anchors", 0, self.anchors))
        return write_anchors(model, self.anchors, self.anchor_length, run.seed + SEEDS_APART * turn, self.free)

    def _near(self, model: LanguageModel, asked: Sequence[tuple[Message, ...]], memory: Memory, seed: int) -> Anchors:
        """A sample of the earlier stages' neighbours and the new stage's."""
        new = write_answers(model, asked, self.anchor_length // 2)
        return (Anchors.of(memory["neighbours"]) + new if "neighbours" in memory else new).sample(self.neighbours, seed)

    def _outside(
        self, model: LanguageModel, taught: Sequence[Example], memory: Memory, seed: int
    ) -> list[Sequence[Row]]:
        """What new neurons should be silent on: other requests, also with something of the lesson in view, and
        requests like the lesson's about something else."""
        general = _training(Anchors.of(memory["anchors"]))
        said = [example.origin.clause or example.messages[0].content for example in _some(taught, SCOPE_SAMPLE)]
        in_view = beside(model, general.first(BESIDE), said, seed)
        return [general.rows, model.chat.openings(general.rows), in_view, *(near.rows for near in _near(memory))]

    def examples(self, fresh: Sequence[Example], memory: Memory) -> Mixture:
        """Fresh examples, with old ones from the buffer in each step."""
        return Mixture(fresh, memory.get("examples", []), self.old_per_step)

    def held(self, memory: Memory, steps: int) -> Iterable[Held | None]:
        """λ · KL(start ‖ model) on the next anchors in turn; new neurons are shut there and need none."""
        if not self.anchors_per_step or self.weights == "neurons":
            return [None] * steps
        return held_in_turn(_trained(memory), self.anchors_per_step, self.strength, steps)

    def penalty(self, model: LanguageModel, memory: Memory, step: int) -> torch.Tensor | None:
        """What new neurons say where they should keep silent, and how far they are from what they said on earlier
        lessons: far cheaper than KL, as no other layer is computed."""
        loudness = model.loudness(SILENT_TOKENS, step)
        if loudness is None:
            return None
        drift = model.drift(SILENT_TOKENS, step)
        return self.silence * loudness + (0.0 if drift is None else memory[HOLD] * drift)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Settle on an average of old and new weights, and sample the new stage into the buffer."""
        memory = dict(memory)
        before = memory.pop(BEFORE, None)
        memory.pop(HOLD, None)
        if before and self.average:
            self._settle(
                model,
                before,
                (*_some(examples, LESSON_SAMPLE), *_some(memory.get("examples", []), LESSON_SAMPLE)),
                memory,
                run,
            )
        kept = within_budget(memory.get("examples", []), examples, self.budget, run.seed)
        if self.anew:
            del memory["anchors"]
        return {**memory, "examples": kept}

    def _settle(
        self,
        model: LanguageModel,
        before: dict[str, torch.Tensor],
        taught: Sequence[Example],
        memory: Memory,
        run: Run,
    ) -> None:
        run.tell(Progress("averaging", 0, 0))
        anchors = Anchors.of(memory["anchors"])
        begin = len(anchors.rows) - _held_out(anchors)
        read = model.tokens_read
        settle(
            model, before, [model.chat.example(example) for example in taught], anchors, range(begin, len(anchors.rows))
        )
        run.meter.read("exam", model.tokens_read - read)


def _some(examples: Sequence[Example], count: int) -> Sequence[Example]:
    """At most so many, evenly."""
    return examples[:: -(-len(examples) // count)] if examples else examples


def _begun(model: LanguageModel, examples: Sequence[Example], count: int) -> list[Row]:
    """A sample of the answers without the rest of long ones; of the texts only where there are no answers, as their
    first words tell nothing yet."""
    answers = [example for example in examples if example.messages[0].role != "text"]
    rows = [model.chat.example(example) for example in _some(answers or examples, count)]
    stops = [row.learn.index(True) + ANSWER_BEGUN for row in rows]
    return [Row(row.ids[:stop], row.learn[:stop]) for row, stop in zip(rows, stops, strict=True)]


def _trained(memory: Memory) -> Anchors:
    """All texts that the model is held to in training, in random order."""
    anchors = _training(Anchors.of(memory["anchors"]))
    for near in _near(memory):
        anchors += near
    return anchors.sample(len(anchors.rows), 0)


def _near(memory: Memory) -> list[Anchors]:
    return [Anchors.of(memory["neighbours"])] if "neighbours" in memory else []


def _training(anchors: Anchors) -> Anchors:
    return anchors.first(len(anchors.rows) - _held_out(anchors))


def _held_out(anchors: Anchors) -> int:
    """The last eighth of the anchors is never trained on: averaging is judged by it."""
    return max(1, len(anchors.rows) // 8)
