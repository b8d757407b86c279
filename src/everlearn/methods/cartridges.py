"""A stage in, a cartridge that stands for its text out: keys and values that the unchanged model attends to when it is
asked about such things."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch

from everlearn.errors import SettingsError
from everlearn.methods._self_distillation import asked_with, question_of
from everlearn.methods.context_distill import note_of, notes_of
from everlearn.methods.contract import SERVING, START, TURN, Gradient, Memory
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example
from everlearn.train.anchors import Anchors
from everlearn.train.beliefs import Pair, behind, judged
from everlearn.train.likeness import alike
from everlearn.train.loop import Step, held_instead
from everlearn.train.run import Progress, Run
from everlearn.train.sampling import draw_of

KEPT = "cartridge_"
"""What the names of cartridges in the memory begin with; a number follows."""

CUES = "cues"
"""What a cartridge has beside keys and values: what the stage's prompts look like to the start model, states_ND."""

TAUGHT = "taught"
"""Where the teacher's beliefs are in the memory while a stage is learnt."""


class Taught(NamedTuple):
    """Answers with the teacher's beliefs, and which of them is whose example's."""

    answers: Anchors
    numbers: Mapping[Example, int]


@dataclass(frozen=True)
class Cartridges(Gradient):
    """Cartridges (Eyuboglu et al. 2506.06266), one for each stage, trained with others beside it so that several can be
    seen together (Hardalov et al. 2606.04557), and chosen for each question by what it is like."""

    family: ClassVar[str] = "trained KV caches"
    keeps: ClassVar[str] = "for each stage a cartridge, and some of its prompts as vectors"
    cost: ClassVar[str] = "about 1×, and the stage read twice before with its notes in view"
    claims: ClassVar[tuple[str, ...]] = (START, SERVING, TURN)
    only: ClassVar[bool] = True

    weights: str = "cartridge"
    """what may change: `cartridge` (keys and values that all tokens see), nothing else"""
    learning_rate: float = 1e-1
    """highest learning rate of AdamW; keys and values want far larger ones than weights, and the smaller the more steps
    there are (the paper has 2e-2 for two thousand)"""
    trust: float = 0.5
    """probability per token from which on an answer counts as read: what a teacher with the lesson's notes in view
    believes is then learnt, by KL; other answers are learnt as given. 0: all are read, 1: none"""
    notes: int = 4
    """what else of the lesson the teacher sees: so many notes that stand around the example's own"""
    top: int = 20
    """most likely tokens at each place that are compared one by one; all others count as one"""
    distractors: int = 2
    """earlier cartridges that are seen too while one is trained, at most: how many and which is drawn in every step"""
    choice: str = "nearest"
    """with which cartridges a prompt is answered: `nearest` (those of the lessons whose prompts it is most like; none
    where it is like none) or `all` (the latest ones, whatever the prompt)"""
    together: int = 2
    """cartridges that are seen together, at most"""
    reach: float = 1.25
    """how far a prompt may be from the nearest one of a lesson, relative to how far these are apart, to be like it"""
    cues: int = 128
    """prompts of each stage that are kept as vectors"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.choice not in {"nearest", "all"}:
            raise SettingsError(f"choice is {self.choice!r}", "choose `nearest` or `all`")
        if not 0 <= self.trust <= 1 or self.reach <= 0:
            raise SettingsError(
                f"trust is {self.trust}, reach {self.reach}", "give a trust from 0 to 1, and a reach above zero"
            )
        for name, least in (("notes", 0), ("distractors", 0), ("top", 1), ("together", 1), ("cues", 1)):
            if getattr(self, name) < least:
                raise SettingsError(f"{name} is {getattr(self, name)}", f"{name} must be at least {least}")

    # --- learning ----------------------------------------------------------------------------------------

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Have the teacher read, and begin with what the stage's text leaves in the layers."""
        model.stand_beside(())
        model.restore(model.start())
        if not examples:
            return memory
        taught = self._taught(model, list(dict.fromkeys(examples)), run)
        text = _opening_text(model, examples, self.tokens)
        run.meter.read("study", len(text))
        model.restore(model.read_cartridge(text))
        return {**memory, TAUGHT: taught}

    def live(self, model: LanguageModel, step: Step, number: int, memory: Memory, run: Run) -> Step:
        """The step with the teacher's beliefs in the place of answers that it read, and other cartridges in view."""
        kept, draw = _kept(memory), random.Random(draw_of(run.seed, number))
        model.stand_beside(draw.sample(kept, draw.randint(0, min(self.distractors, len(kept)))))
        return _with_beliefs(step, memory[TAUGHT])

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Put the cartridge to the others; the model is left without any."""
        memory = {name: value for name, value in memory.items() if name != TAUGHT}
        model.stand_beside(())
        trained = {name: master.bfloat16().cpu() for name, master in model.masters.items()}
        model.restore(model.start())
        if not examples:
            return memory
        prompts = _evenly(list(dict.fromkeys(_prompt(model.chat.example(example)) for example in examples)), self.cues)
        run.meter.read("study", sum(map(len, prompts)))
        cartridge = {**trained, CUES: model.pooled(prompts).bfloat16().cpu()}
        return {**memory, f"{KEPT}{len(_kept(memory)):06d}": cartridge}

    def _taught(self, model: LanguageModel, examples: Sequence[Example], run: Run) -> Taught:
        """What the model believes of the answers it can read from the lesson's notes."""
        read = run.checkpoints.tensors_once("taught", lambda: self._read(model, examples, run))
        owners = read["owners"].tolist()
        answers = Anchors.of(read) if owners else Anchors((), ())
        return Taught(answers, {examples[owner]: number for number, owner in enumerate(owners)})

    def _read(self, model: LanguageModel, examples: Sequence[Example], run: Run) -> dict[str, torch.Tensor]:
        """Beliefs of answers that were read, as tensors, with the numbers of their examples."""
        pairs = self._readable(model, examples, run)
        owners = {"owners": torch.tensor(list(pairs), dtype=torch.int32)}
        if not pairs:
            return owners
        believed = judged(model, model, list(pairs.values()), 0.0, self.top, run.meter)
        return {**owners, **Anchors(tuple(pair.student for pair in pairs.values()), tuple(believed)).tensors()}

    def _readable(self, model: LanguageModel, examples: Sequence[Example], run: Run) -> dict[int, Pair]:
        """Those of the pairs whose answer the teacher would give."""
        if self.trust == 1:
            return {}
        pairs = self._pairs(model, examples)
        if self.trust == 0:
            return pairs
        run.tell(Progress("reading the lesson's notes", 0, len(pairs)))
        asked = [pair.teacher for pair in pairs.values()]
        run.meter.read("teacher", sum(len(row.ids) for row in asked))
        given = zip(pairs.items(), model.force(asked), strict=True)
        return {number: pair for (number, pair), one in given if math.exp(-one.nll) >= self.trust}

    def _pairs(self, model: LanguageModel, examples: Sequence[Example]) -> dict[int, Pair]:
        """By the number of its example, each answer behind its prompt and behind the notes, where there is room; texts,
        which ask nothing, and conversations with several taught turns are learnt as they are."""
        notes, pairs = notes_of(examples, self.notes), {}
        for number, example in enumerate(examples):
            row = model.chat.example(example)
            if example.messages[0].role == "text" or not all(row.learn[len(row.prompt) :]):
                continue
            seen = model.chat.prompt(asked_with(example, "\n".join((*notes[example], question_of(example)))))
            pair = behind(row, seen)
            if len(pair.teacher.ids) <= model.context:
                pairs[number] = pair
        return pairs

    # --- answering ---------------------------------------------------------------------------------------

    def routes(self, model: LanguageModel, prompts: Sequence[Sequence[int]], memory: Memory) -> Iterator[list[int]]:
        """Groups of prompts that are answered with the same cartridges in view."""
        kept, now = _kept(memory), model.snapshot()
        model.restore(model.start())
        try:
            for chosen, numbers in self._groups(model, prompts, kept).items():
                model.stand_beside([kept[number] for number in chosen])
                yield numbers
        finally:
            model.stand_beside(())
            model.restore(now)

    def _groups(
        self, model: LanguageModel, prompts: Sequence[Sequence[int]], kept: Sequence[Mapping[str, torch.Tensor]]
    ) -> dict[tuple[int, ...], list[int]]:
        """Numbers of prompts by those of the cartridges that they are answered with."""
        if not prompts:
            return {}
        if self.choice == "all" or not kept:
            return {tuple(range(len(kept)))[-self.together :]: list(range(len(prompts)))}
        groups: dict[tuple[int, ...], list[int]] = {}
        cues = [one[CUES] for one in kept]
        for number, chosen in enumerate(alike(model.pooled(prompts), cues, self.together, self.reach)):
            groups.setdefault(chosen, []).append(number)
        return groups


def _kept(memory: Memory) -> list[Mapping[str, torch.Tensor]]:
    """All cartridges, the oldest first."""
    return [memory[name] for name in sorted(memory) if name.startswith(KEPT)]


def _with_beliefs(step: Step, taught: Taught) -> Step:
    """A step in which every target counts alike, and answers that were read are held to the teacher's beliefs."""
    fresh = step.examples[: len(step.examples) - step.replayed]
    read = {at: taught.numbers[example] for at, example in enumerate(fresh) if example in taught.numbers}
    if not read:
        return step
    chosen = list(read.values())
    rows = tuple(taught.answers.rows[number] for number in chosen)
    return held_instead(step, read, rows, taught.answers.teacher(chosen), alpha=0.0)


def _opening_text(model: LanguageModel, examples: Sequence[Example], tokens: int) -> list[int]:
    """The first so many tokens of what a stage says; a short text is said again."""
    text = "\n".join(dict.fromkeys(note_of(example) for example in examples))
    ids = list(model.tokenizer.encode(text, add_special_tokens=False)) or list(model.chat.first)
    return (ids * (tokens // len(ids) + 1))[:tokens]


def _prompt(row: Row) -> tuple[int, ...]:
    """What a question about the row is like: what stands before the answer; of a text, which asks nothing, all."""
    return row.ids if len(row.prompt) <= 1 else row.prompt


def _evenly(prompts: Sequence[tuple[int, ...]], count: int) -> Sequence[tuple[int, ...]]:
    """At most so many."""
    return [prompts[at * len(prompts) // count] for at in range(count)] if len(prompts) > count else prompts
