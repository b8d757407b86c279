"""Two versions in; what the one has learnt that the other has not, as facts and as a page, out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from everlearn.cli.terminal.differences import Difference, by_skill, by_stage, table
from everlearn.cli.terminal.output import clipped, columns, said, wanted
from everlearn.cli.terminal.stores import short
from everlearn.data.places import counted
from everlearn.model.delta import layer_distances, read_metadata
from everlearn.records import Answer, Exam, Example, Question, Stage, StageAnswers, decode
from everlearn.report.recording import Recording, Version, read_recording
from everlearn.study.lesson import Lesson

if TYPE_CHECKING:
    from rich.console import RenderableType

    from everlearn.learner import Learner

SAMPLES = 4
"""Training examples that are shown of each stage."""

QUESTIONS_SHOWN = 12
"""Questions won or lost that a page shows; JSON has all of them."""

BAR = 24
"""Characters of the longest bar."""


@dataclass(frozen=True)
class Taught:
    """A stage that one version has learnt and the other has not."""

    id: str
    stage: str
    items: int
    examples: int
    """Training examples that study made of the items."""
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Turned:
    """A question that one version answers right and the other does not."""

    part: str
    question: str
    wanted: str
    before: Answer
    after: Answer


@dataclass(frozen=True)
class Gains:
    """What lies between two versions."""

    before: str
    after: str
    taught: tuple[Taught, ...]
    """Learnt by `after` alone."""
    missing: tuple[Taught, ...]
    """Learnt by `before` alone: the two lie on different branches, or the order is reversed."""
    general: tuple[Difference, ...]
    stages: tuple[Difference, ...]
    won: tuple[Turned, ...]
    lost: tuple[Turned, ...]
    superseded: int
    """Questions left out, because a stage has changed their answer."""
    distances: dict[str, float]
    """Euclidean distance of the weights, by layer; empty where the two cannot be compared."""


def gains(learner: Learner, before: str, after: str) -> Gains:
    """Compare two versions; a version that was never asked a stage's questions is asked now."""
    then, now = read_recording(learner.store, before), read_recording(learner.store, after)
    stages = _stages(then) | _stages(now)
    earlier, later = (_complete(learner, recording, stages) for recording in (then, now))
    superseded = set(then.superseded) | set(now.superseded)
    won, lost = _turned(then.questions | now.questions, earlier, later, superseded)
    return Gains(
        before=before,
        after=after,
        taught=_taught(learner, now, then),
        missing=_taught(learner, then, now),
        general=tuple(by_skill(earlier, later)),
        stages=tuple(by_stage(earlier, later, superseded)),
        won=won,
        lost=lost,
        superseded=len(superseded),
        distances=_distances(learner, then.versions[-1], now.versions[-1]),
    )


def _stages(recording: Recording) -> dict[str, Stage]:
    return {version.commit.stage_object: version.stage for version in recording.versions if version.stage}


def _complete(learner: Learner, recording: Recording, stages: dict[str, Stage]) -> Exam:
    """The recorded exam, with answers to every stage in `stages`."""
    version = recording.versions[-1]
    recorded = {asked.stage: asked for asked in version.exam.stages}
    missing = {name: stage for name, stage in stages.items() if stage.questions and name not in recorded}
    for name, stage in missing.items():
        recorded[name] = StageAnswers(name, stage.name, learner.answers(stage.questions, version.digest))
    return Exam(version.exam.general, tuple(recorded.values()))


def _taught(learner: Learner, recording: Recording, other: Recording) -> tuple[Taught, ...]:
    shared = {version.digest for version in other.versions}
    return tuple(
        _taught_by(learner, version) for version in recording.versions if version.stage and version.digest not in shared
    )


def _taught_by(learner: Learner, version: Version) -> Taught:
    assert version.stage is not None
    lesson = decode(Lesson, learner.store.get(version.commit.examples_object))
    step = max(1, len(lesson.examples) // SAMPLES)
    samples = tuple(_in_a_line(example) for example in lesson.examples[::step][:SAMPLES])
    return Taught(version.digest, version.name, len(version.stage.items), len(lesson.examples), samples)


def _in_a_line(example: Example) -> str:
    turns = [turn.content for turn in example.messages[-2:]]
    return " → ".join(clipped(turn, 100) for turn in turns)


def _turned(
    questions: dict[str, Question], before: Exam, after: Exam, superseded: set[str]
) -> tuple[tuple[Turned, ...], tuple[Turned, ...]]:
    """Questions won, then questions lost."""
    earlier = {answer.question: answer for _, answer in _all(before)}
    won: list[Turned] = []
    lost: list[Turned] = []
    for part, answer in _all(after):
        was = earlier.get(answer.question)
        if was is None or was.correct == answer.correct or answer.question in superseded:
            continue
        question = questions[answer.question]
        turned = Turned(part, question.messages[-1].content, wanted(question), was, answer)
        (won if answer.correct else lost).append(turned)
    return tuple(won), tuple(lost)


def _all(exam: Exam) -> list[tuple[str, Answer]]:
    general = [(answer.group, answer) for answer in exam.general]
    return general + [(stage.name, answer) for stage in exam.stages for answer in stage.answers]


def _distances(learner: Learner, one: Version, other: Version) -> dict[str, float]:
    deltas = [learner.store.get(v.commit.weights_object) if v.commit.weights_object else b"" for v in (one, other)]
    kinds = {(data["kind"], data["size"]) for data in map(read_metadata, filter(None, deltas))}
    if len(kinds) != 1:  # both are the base, or one changes all weights and the other an adapter
        return {}
    learner.checkout(other.digest if other.commit.weights_object else one.digest)
    return layer_distances(learner.model, *deltas)


def page_of(found: Gains) -> RenderableType:
    """The comparison for people."""
    from rich.console import Group

    then, now = short(found.before), short(found.after)
    parts: list[RenderableType] = []
    for heading, taught in ((f"{now} has learnt", found.taught), (f"{now} has not learnt", found.missing)):
        for one in taught:
            size = f"{counted(one.items, 'item')}, {counted(one.examples, 'training example')}"
            parts += [f"{heading} {one.stage} ({short(one.id)}; {size}), such as"]
            parts += [f"  {clipped(sample, 76)}" for sample in one.samples]
    parts += ["", table({"general": found.general, "stages": found.stages}, then, now)]
    if found.superseded:
        parts += ["", f"{counted(found.superseded, 'question')} left out: a stage has changed the answer"]
    for heading, turned in (("won", found.won), ("lost", found.lost)):
        if turned:
            parts += ["", _turned_table(f"{heading}: {len(turned):,}", turned, then, now)]
    if found.distances:
        parts += ["", _distance_table(found.distances)]
    return Group(*parts)


def _turned_table(heading: str, turned: tuple[Turned, ...], then: str, now: str) -> RenderableType:
    page = columns(heading, "wanted", then, now)
    for one in turned[:QUESTIONS_SHOWN]:
        cells = (clipped(one.wanted, 60), said(one.before, one.wanted, 60), said(one.after, one.wanted, 60))
        page.add_row(clipped(one.question, 100), *cells)
    if len(turned) > QUESTIONS_SHOWN:
        page.add_row(f"… and {len(turned) - QUESTIONS_SHOWN} more (--json has all)")
    return page


def _distance_table(distances: dict[str, float]) -> RenderableType:
    page = columns("weights", "", "distance", numbers=1)
    longest = max(distances.values()) or 1.0
    for layer, distance in distances.items():
        page.add_row(layer, "█" * round(BAR * distance / longest), f"{distance:.4f}")
    return page
