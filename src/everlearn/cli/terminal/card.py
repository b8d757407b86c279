"""A recorded version in, its report card out: what it learnt, what it kept, what it cost, what the gate says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from everlearn.cli.terminal.differences import Difference, by_skill, by_stage, of_comparison, table
from everlearn.cli.terminal.output import pairs, visible
from everlearn.cli.terminal.stores import short
from everlearn.data.places import counted
from everlearn.records import Cost, Exam, Habits
from everlearn.report.words import duration, nats, percent, power, size

if TYPE_CHECKING:
    from rich.console import RenderableType

    from everlearn.report.recording import Recording, Version


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
    """What stands behind `learnt`: `held-out questions` or `training examples`."""
    general: tuple[Difference, ...]
    earlier: tuple[Difference, ...]
    superseded: int
    """Earlier questions left out, because a stage has changed their answer."""
    habits: Habits | None
    habits_before: Habits | None
    cost: Cost


def card_of(recording: Recording) -> Card:
    """The report card of the newest version in a recording."""
    version = recording.versions[-1]
    before = recording.versions[-2].exam if len(recording.versions) > 1 else Exam(())
    verdict = version.commit.verdict
    asked = "held-out questions" if version.stage and version.stage.questions else "training examples"
    return Card(
        id=version.digest,
        parent=version.commit.parent,
        accepted=verdict.accepted if verdict else True,
        reason=verdict.reason if verdict else "",
        learnt=of_comparison(f"{version.name} ({asked})", version.learnt) if version.learnt else None,
        asked=asked if version.learnt else "",
        general=tuple(by_skill(before, version.exam)),
        earlier=tuple(by_stage(before, version.exam, recording.superseded)),
        superseded=_superseded(recording, before),
        habits=version.exam.habits,
        habits_before=before.habits,
        cost=version.commit.cost,
    )


def _superseded(recording: Recording, before: Exam) -> int:
    asked = {answer.question for stage in before.stages for answer in stage.answers}
    return len(asked & set(recording.superseded))


def page_of(card: Card) -> RenderableType:
    """The report card for people; without the tables for the base, which is compared with nothing."""
    from rich.console import Group

    parts: list[RenderableType] = []
    if card.parent:
        sections = {
            "learnt": [card.learnt] if card.learnt else [],
            "kept: general": card.general,
            "kept: earlier stages": card.earlier,
        }
        parts += [table(sections), ""]
    parts.append(pairs(*_lines(card)))
    return Group(*parts)


def _lines(card: Card) -> Sequence[tuple[str, RenderableType]]:
    from rich.text import Text

    lines: list[tuple[str, RenderableType]] = []
    if card.superseded:
        superseded = counted(card.superseded, "earlier question")
        lines.append(("left out", f"{superseded}, whose answer has been corrected"))
    if card.habits:
        lines.append(("habits", _habits(card.habits, card.habits_before)))
    lines += [("cost", line) if not number else ("", line) for number, line in enumerate(cost_lines(card.cost))]
    word, style = ("accepted", "bold green") if card.accepted else ("rejected", "bold red")
    lines.append(("verdict", Text.assemble((word, style), f": {visible(card.reason)}")))
    return lines


def _habits(now: Habits, before: Habits | None) -> str:
    def was(value: str) -> str:
        return f" (before: {value})" if before else ""

    agreement = was(percent(before.agreement)) if before else ""
    divergence = was(nats(before.kl)) if before else ""
    return (
        f"{percent(now.agreement)} of its words are still the base's own choice{agreement}; "
        f"KL to the base {nats(now.kl)} nats per token{divergence}"
    )


def cost_lines(cost: Cost) -> list[str]:
    """Tokens by kind; then time, operations, memory and disk."""
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in sorted(cost.tokens.items()))
    return [
        f"{sum(cost.tokens.values()):,} tokens: {kinds}" if kinds else "no tokens",
        f"{duration(cost.seconds)}, {power(cost.flops)} operations, {size(cost.peak_memory)} of memory at most, "
        f"{size(cost.bytes_kept)} kept",
    ]


def heading(version: Version, branches: Sequence[str]) -> str:
    """`3f2a91bc (head of main), parent 8a1c22d0`."""
    heads = f" (head of {', '.join(branches)})" if branches else ""
    parent = f", parent {short(version.commit.parent)}" if version.commit.parent else ", the base"
    return f"{short(version.digest)}{heads}{parent}"
