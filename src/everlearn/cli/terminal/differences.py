"""Two exams in, their paired differences by skill and by stage out, as facts and as a table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from everlearn.cli.terminal.output import columns, visible
from everlearn.report.rate import Estimate, difference
from everlearn.report.words import for_terminal, percent, point_span, points

if TYPE_CHECKING:
    from rich.table import Table

    from everlearn.records import Answer, Comparison, Exam


@dataclass(frozen=True)
class Difference:
    """One paired difference in share of questions answered right, over the questions asked both times."""

    name: str
    before: float
    after: float
    low: float
    """Lower end of the 95 % confidence interval of after − before."""
    high: float
    questions: int


def of_answers(name: str, before: Sequence[Answer], after: Sequence[Answer]) -> Difference | None:
    """The difference between two lists of answers; None where no question was asked both times."""
    estimate = difference(before, after)
    return _difference(name, before, after, estimate) if estimate else None


def of_comparison(name: str, comparison: Comparison) -> Difference:
    """The difference that the gate saw."""
    seen = comparison
    return Difference(name, seen.before, seen.after, seen.low, seen.high, seen.questions)


def by_skill(before: Exam, after: Exam) -> list[Difference]:
    """The general questions: all together, then each skill."""
    skills = sorted({answer.group for answer in after.general})
    found = [of_answers("all skills", before.general, after.general)]
    found += [of_answers(skill, _only(skill, before.general), _only(skill, after.general)) for skill in skills]
    return [one for one in found if one]


def by_stage(before: Exam, after: Exam, leave_out: Collection[str] = ()) -> list[Difference]:
    """The questions of each stage that was asked both times, without those in `leave_out` (digests)."""
    earlier = {stage.stage: stage.answers for stage in before.stages}
    found = []
    for stage in after.stages:
        asked = [answer for answer in stage.answers if answer.question not in leave_out]
        found.append(of_answers(stage.name, earlier.get(stage.stage, ()), asked))
    return [one for one in found if one]


def table(sections: Mapping[str, Sequence[Difference]], before: str = "before", after: str = "after") -> Table:
    """The differences under their headings; headings without any are left out."""
    page = columns("", before, after, "change", "95% interval", "questions", numbers=5)
    for heading, found in sections.items():
        if found:
            page.add_row(heading, style="bold")
        for one in found:
            page.add_row(
                f"  {visible(one.name)}",
                for_terminal(percent(one.before)),
                for_terminal(percent(one.after)),
                points(one.after - one.before),
                point_span(one.low, one.high),
                f"{one.questions:,}",
            )
    return page


def _difference(name: str, before: Sequence[Answer], after: Sequence[Answer], seen: Estimate) -> Difference:
    asked_before = {answer.question: answer.correct for answer in before}
    both = [answer for answer in after if answer.question in asked_before]
    was = sum(asked_before[answer.question] for answer in both) / len(both)
    return Difference(name, was, sum(answer.correct for answer in both) / len(both), seen.low, seen.high, len(both))


def _only(skill: str, answers: Sequence[Answer]) -> list[Answer]:
    return [answer for answer in answers if answer.group == skill]
