"""Questions of a lesson in, a model that answers as it would with the lesson's notes in view out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.errors import SettingsError
from everlearn.methods._self_distillation import (
    TEACHER,
    Asked,
    Lesson,
    SelfDistillation,
    asked_with,
    question_of,
)
from everlearn.methods._verifying import Task
from everlearn.methods.contract import Memory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, Message
from everlearn.train.anchors import Anchors
from everlearn.train.beliefs import behind, judged
from everlearn.train.loop import Step
from everlearn.train.run import Progress, Run
from everlearn.train.sampling import sample

NOTES, ANSWERS, NUMBERS = "notes", "answers", "numbers"
"""Where the notes of each example, the teacher's answers, and which of them answers which example, are in the memory
while a stage lasts."""

LONGEST = 64
"""Words of a note about something else, at most."""


@dataclass(frozen=True)
class ContextDistill(SelfDistillation):
    """Context distillation (Snell et al. 2209.15189), on policy as in Ye et al. 2602.12275: the teacher has notes of
    the lesson in view, the model has not, and learns to do without them. On policy the model answers and the teacher
    judges; off policy the teacher answers once, before training."""

    cost: ClassVar[str] = "3 to 4×; off policy 1×, and an answer to each question before training"

    alpha: float = 1.0
    """0: KL(teacher ‖ model), 1: KL(model ‖ teacher), between them a Jensen-Shannon divergence; off policy always 0"""
    on_policy: bool = True
    """whether the model answers in every step, rather than the teacher once"""
    notes: int = 4
    """what else of the lesson the teacher sees: so many notes that stand around the example's own"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.notes < 0:
            raise SettingsError(f"notes is {self.notes}", "give a number from 0")

    def prepare(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Lay out the notes; off policy, have the teacher answer."""
        memory = {**super().prepare(model, examples, memory, run), NOTES: notes_of(examples, self.notes)}
        if self.on_policy:
            return memory
        found = [self.ask(model, example, memory) for example in dict.fromkeys(examples)]
        asked = [one for one in found if one]
        if not asked:
            return memory
        run.tell(Progress("having the lesson's questions answered", 0, len(asked)))
        answers = run.checkpoints.tensors_once("answers", lambda: self._answers(asked, memory, run).tensors())
        numbers = {one.example: number for number, one in enumerate(asked)}
        return {**memory, ANSWERS: Anchors.of(answers), NUMBERS: numbers}

    def view(self, example: Example, task: Task, memory: Memory) -> tuple[Message, ...]:
        """The notes, in lines above the question."""
        notes = memory[NOTES].get(example) or (note_of(example),)
        return asked_with(example, "\n".join((*notes, question_of(example))))

    def lesson(self, model: LanguageModel, asked: Sequence[Asked], memory: Memory, number: int, run: Run) -> Lesson:
        """The model's answers as they come, or the teacher's as they were kept."""
        if self.on_policy:
            return super().lesson(model, asked, memory, number, run)
        answers, chosen = memory[ANSWERS], [memory[NUMBERS][one.example] for one in asked]
        return Lesson(tuple(answers.rows[at] for at in chosen), tuple(answers.teachers[at] for at in chosen), 0.0)

    def asked(self, model: LanguageModel, step: Step, memory: Memory) -> dict[int, Asked]:
        """Off policy, only what the teacher has answered."""
        asked = super().asked(model, step, memory)
        known = memory.get(NUMBERS, {})
        return asked if self.on_policy else {at: one for at, one in asked.items() if one.example in known}

    def finish(self, model: LanguageModel, examples: Sequence[Example], memory: Memory, run: Run) -> Memory:
        """Throw notes and answers away."""
        memory = super().finish(model, examples, memory, run)
        return {name: value for name, value in memory.items() if name not in {NOTES, ANSWERS, NUMBERS}}

    def _answers(self, asked: Sequence[Asked], memory: Memory, run: Run) -> Anchors:
        """The teacher's likeliest answers with the notes in view, behind the questions alone, and its beliefs."""
        teacher = memory[TEACHER]
        limits = [one.task.limit for one in asked]
        written = sample(teacher, [one.seen for one in asked], limits, run.seed, run.meter, temperature=0.0)
        turned = [behind(said.row, asked[said.prompt].task.prompt, self.skip) for said in written]
        pairs = [pair._replace(student=pair.teacher, teacher=pair.student) for pair in turned]
        believed = judged(teacher, teacher, pairs, 0.0, self.top, run.meter)
        return Anchors(tuple(pair.student for pair in pairs), tuple(believed))


def notes_of(examples: Sequence[Example], around: int) -> dict[Example, tuple[str, ...]]:
    """For each example its own note between up to `around` others of its file that stand next to it."""
    files: dict[str, dict[str, list[Example]]] = {}
    for example in examples:
        files.setdefault(example.origin.file, {}).setdefault(note_of(example), []).append(example)
    found = {}
    for notes in files.values():
        lines = list(notes)
        for at, line in enumerate(lines):
            begin = max(0, min(at - around // 2, len(lines) - 1 - around))
            near = lines[begin : begin + around + 1]
            told = tuple(each if each == line else " ".join(each.split()[:LONGEST]) for each in near)
            found.update(dict.fromkeys(notes[line], told))
    return found


def note_of(example: Example) -> str:
    """What an example says, as a note: its own passage, or a text, or the question with its answer."""
    if example.origin.clause or example.messages[0].role == "text":
        return example.origin.clause or " ".join(message.content for message in example.messages)
    answer = [message.content for message in example.messages if message.learn][-1:]
    return " ".join((question_of(example), *answer)).strip()
