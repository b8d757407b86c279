"""A recording in; version by version, how much of what was taught is known and what the base could do is kept, out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from everlearn.records import Answer, Exam, Habits
from everlearn.report.rate import Rate, rate_of, still_right
from everlearn.report.recording import Recording


class Progress(NamedTuple):
    """Where one version stands."""

    name: str
    learnt: Rate | None
    """Over the questions of all stages so far, without those superseded by then; None where none was asked."""
    kept: Rate | None
    """Over the general questions that the base answered right."""
    habits: Habits | None


class Flip(NamedTuple):
    """A question whose answer changed between two versions."""

    question: str
    """Digest of the question."""
    place: str
    """The general skill, or the stage's name."""
    before: str
    after: str


class Flips(NamedTuple):
    """What changed between the first version that was asked and the last one."""

    lost: list[Flip]
    won: list[Flip]
    superseded: list[Flip]
    """Lost as they should be: a correction made the old answer wrong."""


def progress(recording: Recording) -> tuple[Progress, ...]:
    """One entry for each version, the base first."""
    base = recording.versions[0].exam
    found = []
    for place, version in enumerate(recording.versions):
        taught = [answer for stage in version.exam.stages for answer in stage.answers]
        valid = [answer for answer in taught if recording.superseded.get(answer.question, place + 1) > place]
        kept = still_right(base.general, version.exam.general)
        found.append(Progress(version.name, rate_of(valid), kept, version.exam.habits))
    return tuple(found)


def flips(recording: Recording) -> Flips:
    """The changes between the first version that was asked a question and the last one, in the exam's order."""
    last = recording.versions[-1].exam
    first = {answer.question: answer for version in reversed(recording.versions) for answer in _all(version.exam)}
    changed = Flips([], [], [])
    places = {answer.question: answer.group for answer in last.general}
    places |= {answer.question: stage.name for stage in last.stages for answer in stage.answers}
    for now in _all(last):
        was = first[now.question]
        if was.correct != now.correct:
            flip = Flip(now.question, places[now.question], was.text, now.error or now.text)
            gone = now.question in recording.superseded
            (changed.won if now.correct else changed.superseded if gone else changed.lost).append(flip)
    return changed


def _all(exam: Exam) -> Iterator[Answer]:
    yield from exam.general
    for stage in exam.stages:
        yield from stage.answers
