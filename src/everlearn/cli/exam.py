"""Show a version's exam, ask your own questions, or compare two."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from everlearn.cli import DONE
from everlearn.cli.terminal.differences import Difference, by_skill, by_stage, table
from everlearn.cli.terminal.output import clipped, columns, emit, pairs, said, visible, wanted
from everlearn.cli.terminal.stores import open_learner, open_store, short
from everlearn.records import Exam, Habits, Question, StageAnswers
from everlearn.report.rate import Rate, rate_of
from everlearn.report.words import for_terminal, nats, percent, span

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Share:
    """How many questions of one kind were answered right."""

    part: str
    """`general` or `stage`."""
    name: str
    right: int
    asked: int
    low: float
    """Lower end of the 95 % interval of the share."""
    high: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which version, which questions, and what to compare with."""
    parser.add_argument("--at", metavar="REF", default="head", help="the version (default: head)")
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument("--questions", metavar="FILE", type=Path, help="ask these now, instead of what is on record")
    asked.add_argument(
        "--lm-eval",
        metavar="TASKS",
        type=_names,
        help="ask these tasks of lm-evaluation-harness now: names or files, with commas between them",
    )
    parser.add_argument("--limit", metavar="N", type=_count, help="with --lm-eval: the first N questions of each task")
    parser.add_argument("--compare", metavar="REF", help="a version to compare with, question by question")


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("no task is named")
    return names


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"a whole number above zero is needed, not {text!r}")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Print shares by skill and by stage; with `--compare`, paired differences."""
    if arguments.limit is not None and not arguments.lm_eval:
        arguments.parser.error("--limit goes with --lm-eval")
    store = open_store(arguments)
    references = [arguments.at, *([arguments.compare] if arguments.compare else [])]
    names = [store.resolve(reference) for reference in references]
    questions: tuple[Question, ...] = ()
    if arguments.questions:
        from everlearn.data import read_questions

        questions = read_questions(arguments.questions)
        exams = _ask(arguments, names, questions)
    elif arguments.lm_eval:
        exams = _ask_tasks(arguments, names)
    else:
        from everlearn.report.recording import read_recording

        exams = [read_recording(store, name).versions[-1].exam for name in names]
    if arguments.compare:
        _compare(arguments, names, exams)
    else:
        _show(arguments, names[0], exams[0], questions)
    return DONE


def _ask(arguments: argparse.Namespace, names: list[str], questions: tuple[Question, ...]) -> list[Exam]:
    """The answers of each version to a person's own questions."""
    from everlearn.cli.terminal.progress import display

    with display() as tell:
        learner = open_learner(arguments, tell)
        answered = [learner.answers(questions, name) for name in names]
    stem = arguments.questions.stem
    return [Exam((), (StageAnswers("", stem, answers),)) for answers in answered]


def _ask_tasks(arguments: argparse.Namespace, names: list[str]) -> list[Exam]:
    """The answers of each version to tasks of lm-evaluation-harness."""
    from everlearn.cli.terminal.progress import display

    with display() as tell:
        learner = open_learner(arguments, tell)
        return [Exam((), learner.answer_tasks(arguments.lm_eval, name, arguments.limit)) for name in names]


def _show(arguments: argparse.Namespace, name: str, exam: Exam, questions: tuple[Question, ...]) -> None:
    shares = _shares(exam)
    facts = {"at": name, "shares": shares, "habits": exam.habits, "exam": exam}
    emit(arguments, facts, lambda: _page(name, shares, exam, questions))


def _shares(exam: Exam) -> list[Share]:
    skills = Counter(answer.group for answer in exam.general)
    found = [("general", "all skills", exam.general)] if skills else []
    found += [("general", skill, tuple(a for a in exam.general if a.group == skill)) for skill in sorted(skills)]
    found += [("stage", stage.name, stage.answers) for stage in exam.stages]
    rates = [(part, name, rate_of(answers)) for part, name, answers in found]
    return [Share(part, name, rate.right, rate.asked, rate.low, rate.high) for part, name, rate in rates if rate]


def _page(name: str, shares: list[Share], exam: Exam, questions: tuple[Question, ...]) -> RenderableType:
    from rich.console import Group

    page = columns(short(name), "right", "asked", "share", "95% interval", numbers=4)
    heading = ""
    for share in shares:
        if share.part != heading:
            heading = share.part
            page.add_row("general" if heading == "general" else "stages", style="bold")
        rate = Rate(share.right, share.asked)
        cells = (f"{rate.right:,}", f"{rate.asked:,}", percent(rate.share), span(rate.low, rate.high))
        page.add_row(f"  {visible(share.name)}", *map(for_terminal, cells))
    parts: list[RenderableType] = [page]
    if exam.habits:
        parts += ["", pairs(("habits", _habits(exam.habits)))]
    if questions:
        parts += ["", *_wrong(exam, questions)]
    return Group(*parts)


def _habits(habits: Habits) -> str:
    return f"{for_terminal(percent(habits.agreement))} agreement with the base, KL {nats(habits.kl)} nats per token"


def _wrong(exam: Exam, questions: tuple[Question, ...]) -> list[RenderableType]:
    """The questions that were just asked and not answered right."""
    answers = exam.stages[0].answers
    page = columns("not answered right", "wanted", "answered")
    for question, answer in zip(questions, answers, strict=True):
        if not answer.correct:
            right = wanted(question)
            page.add_row(clipped(question.messages[-1].content, 120), clipped(right, 80), said(answer, right, 80))
    return [page] if page.row_count else ["every question was answered right"]


def _compare(arguments: argparse.Namespace, names: list[str], exams: list[Exam]) -> None:
    (now, then), (exam, other) = names, exams
    sections: dict[str, list[Difference]] = {"general": by_skill(other, exam), "stages": by_stage(other, exam)}
    facts = {"at": now, "compared_with": then, "differences": sections}
    if not any(sections.values()):
        emit(arguments, facts, lambda: "no question was put to both versions")
        return
    emit(arguments, facts, lambda: table(sections, short(then), short(now)))
