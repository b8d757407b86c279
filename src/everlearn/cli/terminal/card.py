"""A recorded version in, its report card out: as facts for programs, and as the page of `report.card` for people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from everlearn.cli.terminal.differences import Difference, by_skill, by_stage, of_comparison
from everlearn.records import Comparison, Cost, Exam, Habits

if TYPE_CHECKING:
    from rich.console import RenderableType

    from everlearn.report.recording import Recording

HELD_OUT, OWN_EXAMPLES = "held-out questions", "training examples"


@dataclass(frozen=True)
class Card:
    """What a version gained and lost against its parent, and at what cost."""

    id: str
    parent: str
    accepted: bool
    reason: str
    learnt: Difference | None
    """The new stage's questions, as the gate saw them; None for the base."""
    asked: str
    """What stands behind `learnt`: `held-out questions`, or `training examples` where the stage brought none."""
    general: tuple[Difference, ...]
    earlier: tuple[Difference, ...]
    """Earlier stages, without the questions whose answer a stage has changed."""
    superseded: int
    """How many those are."""
    comparisons: tuple[Comparison, ...]
    """What the gate compared."""
    habits: Habits | None
    habits_before: Habits | None
    cost: Cost


def card_of(recording: Recording) -> Card:
    """The report card of the newest version in a recording."""
    version = recording.versions[-1]
    before = _before(recording)
    verdict = version.commit.verdict
    asked_before = {answer.question for stage in before.stages for answer in stage.answers}
    return Card(
        id=version.digest,
        parent=version.commit.parent,
        accepted=verdict.accepted if verdict else True,
        reason=verdict.reason if verdict else "",
        learnt=of_comparison(version.name, version.learnt) if version.learnt else None,
        asked=HELD_OUT if version.stage and version.stage.questions else OWN_EXAMPLES if version.stage else "",
        general=tuple(by_skill(before, version.exam)),
        earlier=tuple(by_stage(before, version.exam, recording.superseded)),
        superseded=len(asked_before & set(recording.superseded)),
        comparisons=verdict.comparisons if verdict else (),
        habits=version.exam.habits,
        habits_before=before.habits,
        cost=version.commit.cost,
    )


def page_of(recording: Recording) -> RenderableType:
    """The report card of the newest version in a recording, for people."""
    from everlearn.report.card import report_card

    version = recording.versions[-1]
    base = recording.versions[0].exam
    return report_card(version.digest, version.commit, version.exam, _before(recording), base)


def _before(recording: Recording) -> Exam:
    """The parent's exam; of the base, an empty one."""
    return recording.versions[-2].exam if len(recording.versions) > 1 else Exam(())
