"""Questions in, a model that has moved to what a teacher says of its answers out; the teacher sees more than it does.

What `sdft`, `sdpo` and `context_distill` have in common; no method by itself. Model and teacher are one network, with
the same weights or older ones: what the teacher knows better stands in its prompt.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch

from everlearn.errors import SettingsError
from everlearn.methods._own_steps import WARM, OwnSteps
from everlearn.methods._verifying import Task, task_of
from everlearn.methods.contract import Memory
from everlearn.model.chat import Row
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, Message
from everlearn.train.beliefs import Pair, behind, judged
from everlearn.train.loop import Step, held_instead
from everlearn.train.losses import Teacher
from everlearn.train.run import Run
from everlearn.train.sampling import draw_of, sample

TEACHER = "teacher"
"""Where the teacher is in the memory while a stage lasts."""

TEACHERS = ("frozen", "ema", "live")

QUESTION, ANSWER = "{question}", "{answer}"
"""What stand for an example's own in what a teacher is shown."""


class Asked(NamedTuple):
    """An example as it is put to the model and to the teacher."""

    example: Example
    task: Task
    seen: tuple[int, ...]
    """The teacher's prompt."""


class Lesson(NamedTuple):
    """Rows that the model learns, with the teacher's beliefs at their targets."""

    rows: tuple[Row, ...]
    beliefs: tuple[Teacher, ...]
    alpha: float
    """Which divergence they are for."""


@dataclass(frozen=True)
class SelfDistillation(OwnSteps):
    """A divergence from a teacher with more in view, on answers that the model writes by itself."""

    family: ClassVar[str] = "self-distillation"

    teacher: str = "frozen"
    """whose weights teach: `frozen` (the start model's), `ema` (follow the model's slowly, from where the stage begins)
    or `live` (the model's own)"""
    rate: float = 0.01
    """share of the way to the model that the teacher goes after every step, where teacher is `ema`"""
    alpha: float = 0.0
    """0: KL(teacher ‖ model), 1: KL(model ‖ teacher), between them a Jensen-Shannon divergence"""
    top: int = 20
    """most likely tokens at each place that are compared one by one; all others count as one"""
    skip: int = 0
    """first tokens of each answer that are not learnt; 3 where the teacher begins by speaking of its example"""
    warm: float = 0.0
    """share of the steps, at the beginning, that learn the given answers by cross-entropy, for a model that cannot make
    use of what is in its prompt"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.teacher not in TEACHERS:
            raise SettingsError(f"teacher is {self.teacher!r}", "choose `frozen`, `ema` or `live`")
        for name in ("rate", "alpha"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"{name} is {getattr(self, name)}", f"give {name} as a share, from 0 to 1")
        if self.top < 1 or self.skip < 0:
            raise SettingsError(f"top is {self.top}, skip {self.skip}", "give a top from 1 and a skip from 0")

    # --- what a method says ------------------------------------------------------------------------------

    def view(self, example: Example, task: Task, memory: Memory) -> tuple[Message, ...]:
        """The turns that the teacher sees before it answers."""
        raise NotImplementedError

    def pairs(
        self, model: LanguageModel, asked: Sequence[Asked], memory: Memory, seed: int, run: Run
    ) -> Sequence[Pair]:
        """The model's own answers, each behind what the model and what the teacher sees."""
        prompts, limits = [one.task.prompt for one in asked], [one.task.limit for one in asked]
        written = sample(model, prompts, limits, seed, run.meter)
        return [behind(said.row, asked[said.prompt].seen, self.skip) for said in written]

    def lesson(self, model: LanguageModel, asked: Sequence[Asked], memory: Memory, number: int, run: Run) -> Lesson:
        """What is learnt of these questions at a step."""
        pairs = self.pairs(model, asked, memory, draw_of(run.seed, number), run)
        believed = judged(model, memory[TEACHER], pairs, self.alpha, self.top, run.meter) if pairs else ()
        return Lesson(tuple(pair.student for pair in pairs), tuple(believed), self.alpha)

    # --- hooks -------------------------------------------------------------------------------------------

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Set the teacher beside the model."""
        teacher = model if self.teacher == "live" else model.twin()
        if self.teacher == "frozen":
            teacher.restore(model.start())
        return {**memory, TEACHER: teacher}

    def live(self, model: LanguageModel, step: Step, number: int, memory: Memory, run: Run) -> Step:
        """A warm step as it was planned; any other with the model's answers and the teacher's beliefs in the place of
        the given ones.

        Texts, which ask nothing, questions that leave no room for what the teacher sees, and what comes from memory
        are learnt by cross-entropy as they are. Every target counts alike."""
        asked = {} if number < memory[WARM] else self.asked(model, step, memory)
        if not asked:
            return step
        lesson = self.lesson(model, list(asked.values()), memory, number, run)
        if lesson.rows:
            return held_instead(step, asked, lesson.rows, Teacher.joined(lesson.beliefs), lesson.alpha)
        left = [at for at in range(len(step.rows)) if at not in asked]
        if not any(step.rows[at].targets for at in left):  # nothing to learn: a step without a loss
            return step._replace(rows=step.rows[:1], weights=(0.0,), examples=step.examples[:1])
        weights = step.weights or (1.0,) * len(step.rows)
        rows, weights, examples = zip(*((step.rows[at], weights[at], step.examples[at]) for at in left), strict=True)
        return step._replace(rows=rows, weights=weights, examples=examples)

    def after_step(self, model: LanguageModel, memory: Memory, step: int) -> None:
        """Let a slow teacher follow."""
        if self.teacher == "ema":
            masters = memory[TEACHER].masters
            for name in masters:
                masters[name] = masters[name].lerp_(model.masters[name], self.rate)

    def running(self, memory: Memory) -> dict[str, torch.Tensor]:
        """A slow teacher's weights; the others are where the stage begins, or the model's own."""
        weights: dict[str, torch.Tensor] = memory[TEACHER].snapshot() if self.teacher == "ema" else {}
        return weights

    def resume(self, memory: Memory, kept: dict[str, torch.Tensor]) -> None:
        """Put a slow teacher back to where it was."""
        if kept:
            memory[TEACHER].restore(kept)

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Let the teacher go."""
        memory = super().finish(model, examples, memory, run)
        return {name: value for name, value in memory.items() if name != TEACHER}

    def asked(self, model: LanguageModel, step: Step, memory: Memory) -> dict[int, Asked]:
        """By their place in a step, the fresh examples that ask something and leave room for what the teacher sees."""
        fresh = step.examples[: len(step.examples) - step.replayed]
        found = {at: self.ask(model, example, memory) for at, example in enumerate(fresh)}
        return {at: one for at, one in found.items() if one}

    def ask(self, model: LanguageModel, example: Example, memory: Memory) -> Asked | None:
        """An example as it is asked; None where it asks nothing, or nothing fits."""
        task = task_of(model, example)
        if task is None:
            return None
        seen = model.chat.prompt(self.view(example, task, memory))
        return Asked(example, task, seen) if len(seen) + task.limit <= model.context else None


def require_answer(name: str, shown: str) -> None:
    """Refuse words for the teacher that hold no place for an answer.

    Raises:
        SettingsError: there is none.
    """
    if ANSWER not in shown:
        raise SettingsError(f"{name} is {shown!r}", f"say where the answer stands: {ANSWER}")


def filled(shown: str, example: Example, answer: str) -> tuple[Message, ...]:
    """The turns before the last taught answer, with the words of `shown` about it in the last of them."""
    parts = shown.split(ANSWER)  # the answer last, so that nothing in it is taken for a place to fill
    return asked_with(example, answer.join(part.replace(QUESTION, question_of(example)) for part in parts))


def asked_with(example: Example, words: str) -> tuple[Message, ...]:
    """The turns before the last taught answer, the last of them replaced by a user's turn with these words."""
    taught = max(number for number, message in enumerate(example.messages) if message.learn)
    before = example.messages[:taught]
    if before and before[-1].role == "user":
        return (*before[:-1], dataclasses.replace(before[-1], content=words, learn=False))
    return (*before, Message("user", words))


def question_of(example: Example) -> str:
    """What the user says last before the last taught answer; empty where an answer follows nothing."""
    taught = max(number for number, message in enumerate(example.messages) if message.learn)
    before = example.messages[:taught]
    return before[-1].content if before and before[-1].role == "user" else ""
