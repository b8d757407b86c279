"""Show one version: origin, data, settings, exam, cost and verdict."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from everlearn.cli import DONE
from everlearn.cli.terminal.card import Card, card_of, page_of
from everlearn.cli.terminal.output import clipped, columns, emit, pairs, said, visible, wanted
from everlearn.cli.terminal.stores import open_store, short
from everlearn.data.places import counted
from everlearn.records import Answer, Commit
from everlearn.report.recording import read_recording

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from everlearn.report.recording import Recording, Version
    from everlearn.store import Store


@dataclass(frozen=True)
class Data:
    """What a version learnt from."""

    stage: str
    source: str
    date: str
    items: dict[str, int]
    """By kind: example, document, skill, correction."""
    questions: int
    examples: dict[str, int]
    """Training examples by the study strategy that wrote them; `given` where the data said it themselves."""


@dataclass(frozen=True)
class AskedAndAnswered:
    """One question, the answer that is wanted, and the reply on record."""

    part: str
    """`general: SKILL`, or the name of a stage."""
    question: str
    wanted: str
    answer: Answer


@dataclass(frozen=True)
class Facts:
    """Everything that is shown."""

    branches: tuple[str, ...]
    created: str
    message: str
    model: str
    model_digest: str
    method: str
    settings: dict[str, Any]
    data: Data | None
    card: Card
    answers: tuple[AskedAndAnswered, ...] | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The version, and whether every answer is wanted."""
    parser.add_argument("version", metavar="REF", nargs="?", default="head", help="the version (default: head)")
    parser.add_argument("--answers", action="store_true", help="list every question with the recorded answer")


def run(arguments: argparse.Namespace) -> int:
    """Print what is recorded of the version."""
    store = open_store(arguments)
    recording = read_recording(store, arguments.version)
    facts = _facts(store, recording, arguments.answers)
    emit(arguments, facts, lambda: _page(facts, recording))
    return DONE


def _facts(store: Store, recording: Recording, with_answers: bool) -> Facts:
    version = recording.versions[-1]
    commit = version.commit
    return Facts(
        branches=tuple(name for name, digest in store.branches().items() if digest == version.digest),
        created=commit.created,
        message=commit.message,
        model=commit.model,
        model_digest=commit.model_digest,
        method=commit.method,
        settings=commit.settings,
        data=_data(store, version),
        card=card_of(recording),
        answers=_answers(recording) if with_answers else None,
    )


def _data(store: Store, version: Version) -> Data | None:
    stage = version.stage
    if stage is None:
        return None
    items: Counter[str] = Counter(item.kind for item in stage.items)
    made = _strategies(store, version.commit)
    return Data(stage.name, stage.source, stage.date, dict(items), len(stage.questions), made)


def _strategies(store: Store, commit: Commit) -> dict[str, int]:
    # read as plain JSON: the record itself would bring torch with it
    lesson = json.loads(store.get(commit.examples_object)) if commit.examples_object else {"examples": []}
    return dict(Counter(example["origin"]["strategy"] or "given" for example in lesson["examples"]))


def _answers(recording: Recording) -> tuple[AskedAndAnswered, ...]:
    exam = recording.versions[-1].exam
    asked = [(f"general: {answer.group}", answer) for answer in exam.general]
    asked += [(stage.name, answer) for stage in exam.stages for answer in stage.answers]
    found = []
    for part, answer in asked:
        question = recording.questions[answer.question]
        found.append(AskedAndAnswered(part, question.messages[-1].content, wanted(question), answer))
    return tuple(found)


def _page(facts: Facts, recording: Recording) -> RenderableType:
    from rich.console import Group

    heads = f" (head of {', '.join(facts.branches)})" if facts.branches else ""
    rows: list[tuple[str, RenderableType]] = [
        ("version", f"{short(facts.card.id)}{heads}"),
        ("parent", short(facts.card.parent) or "none: this is the base"),
        ("message", f"{visible(facts.message)}, {facts.created}"),
        ("model", f"{facts.model}, sha256 {facts.model_digest[:16]}…"),
        ("method", " ".join([facts.method, *(f"{name}={value}" for name, value in facts.settings.items())])),
    ]
    if facts.data:
        rows += _data_rows(facts.data)
    parts: list[RenderableType] = [pairs(*rows), "", page_of(recording)]
    if facts.answers is not None:
        parts += ["", _answers_table(facts.answers)]
    return Group(*parts)


def _data_rows(data: Data) -> list[tuple[str, RenderableType]]:
    items = ", ".join(counted(number, kind) for kind, number in data.items.items())
    made = ", ".join(f"{number:,} {strategy}" for strategy, number in data.examples.items())
    return [
        ("data", f"{visible(data.source or data.stage)}, {data.date}: {items}; {counted(data.questions, 'question')}"),
        ("studied", f"{counted(sum(data.examples.values()), 'training example')} ({made})" if made else "nothing"),
    ]


def _answers_table(answers: tuple[AskedAndAnswered, ...]) -> Table:
    page = columns("", "question", "wanted", "answered")
    for one in answers:
        mark = "✓" if one.answer.correct else "✗"
        style = "" if one.answer.correct else "red"
        page.add_row(
            mark, clipped(one.question, 200), clipped(one.wanted, 200), said(one.answer, one.wanted, 200), style=style
        )
    return page
