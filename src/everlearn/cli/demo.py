"""Teach the default model three weeks of an invented organisation, and show what it learnt and kept."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from everlearn.cli import DONE
from everlearn.cli.terminal.output import emit, say

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from everlearn.demo import Goal
    from everlearn.learner import Learner
    from everlearn.report.page import Note

FOLDER = "everlearn-demo"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where, and by which method."""
    parser.add_argument("--folder", type=Path, default=Path(FOLDER), help=f"where its store lies (default: {FOLDER})")
    parser.add_argument("--method", metavar="NAME", default="anchored", help="how it learns (default: anchored)")
    parser.add_argument("--model", metavar="NAME", default="", help="alias, directory or hub id")


def run(arguments: argparse.Namespace) -> int:
    """Learn what has not been learnt yet in the demo's folder, then show all of it."""
    from everlearn.demo import goals
    from everlearn.report.page import write_report

    begin = time.monotonic()
    learner = _learn(arguments)
    reached = goals(learner)
    seconds = time.monotonic() - begin
    report = write_report(learner.store, arguments.folder / "report.html", extra=[_note(reached)])
    facts = {"goals": reached, "seconds": seconds, "report": str(report)}
    emit(arguments, facts, lambda: _page(learner, reached, seconds, report))
    return DONE


def _learn(arguments: argparse.Namespace) -> Learner:
    from everlearn.cli.terminal.progress import display
    from everlearn.demo import WEEKS, learn_week, open_demo

    with display() as tell:
        learner = open_demo(arguments.folder, arguments.model, tell)
        for week in WEEKS:
            begin = time.monotonic()
            learnt = learn_week(learner, week, arguments.method)
            if learnt is None:
                say(f"{week.title}: learnt before, nothing to do")
            else:
                accepted = learnt.commit.verdict is not None and learnt.commit.verdict.accepted
                said = "accepted" if accepted else "kept although the gate would refuse it, to show the whole demo"
                say(f"{week.title}: version {learnt.digest[:8]}, {said}, {time.monotonic() - begin:.0f} s")
    return learner


def _page(learner: Learner, reached: list[Goal], seconds: float, report: Path) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    from everlearn.cli.terminal.card import page_of as card_page
    from everlearn.report.matrix import accuracy_matrix, matrix_table
    from everlearn.report.recording import read_recording

    recording = read_recording(learner.store, "head")
    folder = learner.store.folder
    return Group(
        matrix_table(accuracy_matrix(recording)),
        Text(),
        card_page(recording),
        Text(),
        _goal_table(reached),
        Text(f"\n{seconds:.0f} seconds. The whole report: {report.resolve().as_uri()}"),
        Text(f'Ask it something: everlearn ask --store {folder} "Who looks after the money of Ombrick?"'),
    )


def _goal_table(reached: list[Goal]) -> Table:
    from everlearn.cli.terminal.output import columns

    table = columns("goal after week 3", "reached", "wanted", "questions", "", numbers=3)
    for goal in reached:
        bound = f"{'≤' if goal.at_most else '≥'} {goal.wanted:.2f}"
        table.add_row(goal.name, f"{goal.reached:.2f}", bound, str(goal.questions), "met" if goal.met else "missed")
    return table


def _note(reached: list[Goal]) -> Note:
    from everlearn.report.page import Note

    rows = tuple(
        (
            goal.name,
            f"{goal.reached:.2f}",
            f"{'≤' if goal.at_most else '≥'} {goal.wanted:.2f}",
            str(goal.questions),
            "met" if goal.met else "missed",
        )
        for goal in reached
    )
    header = ("goal after week 3", "reached", "wanted", "questions", "")
    return Note(
        "What the demo should reach", header, rows, "Held-out questions, in other words than those learnt from."
    )
