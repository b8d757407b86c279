"""The three example weeks in; a store that learnt them, the matrix of what is known, and goals against figures out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from everlearn.learner import Learner
from everlearn.records import Answer, Exam
from everlearn.store import Store
from everlearn.teaching import Learnt
from everlearn.train.run import Progress


class Week(NamedTuple):
    """What arrives together, and the held-out questions on it."""

    data: str
    questions: str
    title: str


WEEKS = (
    Week("week1_handbook.md", "week1_questions.jsonl", "week 1: a handbook"),
    Week("week2_tickets.jsonl", "week2_questions.jsonl", "week 2: a way of writing tickets"),
    Week("week3_corrections.jsonl", "week3_questions.jsonl", "week 3: corrections of the handbook"),
)
OLD_VALUES = "week3_old.jsonl"
"""The questions of week 3 with the answers that are no longer right."""


class Goal(NamedTuple):
    """A figure that the demo should reach after week 3."""

    name: str
    reached: float
    wanted: float
    at_most: bool
    """Whether the figure should stay below `wanted`."""
    questions: int

    @property
    def met(self) -> bool:
        """Whether it does."""
        return self.reached <= self.wanted if self.at_most else self.reached >= self.wanted


EXAMPLE = Path(str(resources.files("everlearn") / "examples" / "three_weeks"))
"""The case that is installed with the package."""


def open_demo(folder: Path, model: str, tell: Callable[[Progress], None]) -> Learner:
    """The demo's learner, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / ".everlearn").is_dir():  # or a store further up would be taken
        Store.create(folder)
    return Learner(folder, model, tell=tell)


def learn_week(
    learner: Learner, week: Week, method: str, settings: dict[str, Any] | None = None, case: Path = EXAMPLE
) -> Learnt | None:
    """Learn one week of a case, or go on with it after a crash; None if the store has learnt it before.

    A week that the gate refuses is kept all the same, so that all three can be shown; its verdict stays.
    """
    if learner.store.read_running("request.json") is not None:
        learnt = learner.resume()
    elif week.title in {stage.name for _, stage in learner.lineage.stages("head")} if learner.lineage.root() else ():
        return None
    else:
        data, questions = case / week.data, case / week.questions
        learnt = learner.learn(data, questions, method, settings, name=week.title, message=week.title)
    if learner.store.head() != learnt.digest:
        learner.store.advance(learnt.digest)
    return learnt


def goals(learner: Learner, case: Path = EXAMPLE) -> list[Goal]:
    """The figures after the last week, beside what they should be."""
    exam = learner.lineage.exam("head")
    base = learner.lineage.exam("base")
    first, second, third = (_of(exam, week) for week in WEEKS)
    unchanged = [answer for answer in first if answer.group == "unchanged"]
    old = learner.exam("head", case / OLD_VALUES).stages[0].answers
    return [
        Goal("week 1, facts that did not change", share(unchanged), 0.7, False, len(unchanged)),
        Goal("week 2, tickets", share(second), 0.8, False, len(second)),
        Goal("week 3, corrected facts, new value", share(third), 0.8, False, len(third)),
        Goal("week 3, corrected facts, old value", share(old), 0.1, True, len(old)),
        Goal("general ability, of the base's", retention(base, exam), 0.97, False, len(exam.general)),
    ]


def retention(base: Exam, exam: Exam) -> float:
    """Share of the general questions that the base answers right and this version still does."""
    before = {answer.question for answer in base.general if answer.correct}
    after = {answer.question for answer in exam.general if answer.correct}
    return len(before & after) / len(before) if before else 1.0


def _of(exam: Exam, week: Week) -> Sequence[Answer]:
    return next((stage.answers for stage in exam.stages if stage.name == week.title), ())


def share(answers: Sequence[Answer]) -> float:
    """Share of the answers that are right; 0 of none."""
    return sum(answer.correct for answer in answers) / len(answers) if answers else 0.0
