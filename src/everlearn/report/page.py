"""A store in, one self-contained HTML page about what its model learnt and kept out; needs no model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from everlearn.records import Habits, Question
from everlearn.report import offline, words
from everlearn.report.chart import Chart, Value, line_chart
from everlearn.report.matrix import Cell, Matrix, accuracy_matrix, summarise
from everlearn.report.progress import Progress, flips, progress
from everlearn.report.rate import Rate, rate_of, still_right_by_group
from everlearn.report.recording import Recording, read_recording
from everlearn.store import Store

HERE = Path(__file__).parent
GRID = [(0.0, "0"), (0.25, "25"), (0.5, "50"), (0.75, "75"), (1.0, f"100{words.PERCENT}")]
HEAT = 10
"""Steps of colour between nothing and everything right."""


class Note(NamedTuple):
    """A small table that somebody adds to a report, such as reference figures."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    text: str


class Run(NamedTuple):
    """One cell of the matrix, or several beside each other that hold the same counts."""

    cell: Cell | None
    row: int
    width: int
    title: str
    anchor: str
    """Where its answers stand on the page; empty where none were recorded."""


class Skill(NamedTuple):
    """One skill of the general suite."""

    name: str
    base: Rate
    now: Rate


def write_report(store: Store, path: Path, reference: str = "head", extra: Sequence[Note] = ()) -> Path:
    """Write the report of a version and everything before it; returns the path.

    The same store gives the same bytes. The page loads nothing, from the network or from other files.

    Raises:
        StoreError: there is no such version, or an object is missing or damaged.
        EverlearnError: the file cannot be written.
    """
    return offline.write(path, render(read_recording(store, reference), extra))


def render(recording: Recording, extra: Sequence[Note] = ()) -> str:
    """The page as text."""
    environment = offline.templates(HERE)
    environment.globals["words"] = words
    environment.globals["agreement"] = _agreement
    environment.filters |= {"ask": _last_turn, "setting": _setting, "heat": _heat}
    style, script = offline.inside(HERE / "style.html"), offline.inside(HERE / "script.html")
    return environment.get_template("page.html").render(
        _content(recording),
        notes=extra,
        style=Markup(style),
        script=Markup(script),
        style_hash=offline.csp_hash(style),
        script_hash=offline.csp_hash(script),
    )


def _content(recording: Recording) -> dict[str, Any]:
    matrix = accuracy_matrix(recording)
    stages = progress(recording)
    return {
        "headline": _headline(stages),
        "recording": recording,
        "questions": recording.questions,
        "matrix": matrix,
        "runs": [_runs(matrix, row) for row in range(len(matrix.rows))],
        "summary": summarise(matrix, recording.superseded),
        "progress": stages,
        "learnt_chart": _learnt_chart(stages),
        "agreement_chart": _agreement_chart(stages),
        "divergence_chart": _divergence_chart(stages),
        "skills": _skills(recording),
        "flips": flips(recording),
    }


def _headline(stages: Sequence[Progress]) -> str:
    """What there is to say in one sentence."""
    count, now = len(stages) - 1, stages[-1]
    if not count:
        return "Nothing has been taught yet: this is the model as it came."
    said = [
        f"answers {words.percent(now.learnt.share)} of what it was taught" if now.learnt else "",
        f"keeps {words.percent(now.kept.share)} of what it could do" if now.kept else "",
    ]
    after = f"After {count} stage{'' if count == 1 else 's'} it "
    return after + (" and ".join(part for part in said if part) or "was asked nothing") + "."


def _runs(matrix: Matrix, row: int) -> list[Run]:
    """A row of the matrix; neighbours that show one stage's counts before learning become one."""
    runs: list[Run] = []
    shown = ""
    for number, (column, cell) in enumerate(zip(matrix.columns, matrix.cells[row], strict=True)):
        whole = cell is not None and cell.whole_stage
        if whole and shown == column.stage:
            runs[-1] = runs[-1]._replace(width=runs[-1].width + 1, title=column.name)
        else:
            anchor = f"answers-{row}-{number}" if cell and cell.answers else ""
            runs.append(Run(cell, row, 1, column.title, anchor))
        shown = column.stage if whole else ""
    return runs


def _skills(recording: Recording) -> list[Skill]:
    """By how much was lost, the most first."""
    base, last = recording.versions[0].exam.general, recording.versions[-1].exam.general
    kept = still_right_by_group(base, last)
    before = {group: rate_of([answer for answer in base if answer.group == group]) for group in kept}
    skills = [Skill(group.replace("_", " "), before[group] or rate, rate) for group, rate in kept.items()]
    return sorted(skills, key=lambda skill: (skill.now.share, skill.name))


def _learnt_chart(stages: Sequence[Progress]) -> Chart:
    lines = [("learnt", [_value(stage.learnt) for stage in stages]), ("kept", [_value(stage.kept) for stage in stages])]
    return line_chart(lines, 1.0, GRID)


def _agreement_chart(stages: Sequence[Progress]) -> Chart:
    values = [_value(_agreement(stage.habits)) if stage.habits else None for stage in stages]
    return line_chart([("agreement", values)], 1.0, GRID)


def _divergence_chart(stages: Sequence[Progress]) -> Chart:
    found = [stage.habits.kl if stage.habits else None for stage in stages]
    values = [None if kl is None else Value(kl, kl, kl) for kl in found]
    top = max([value.value for value in values if value] + [0.01]) * 1.1
    labels = [(0.0, "0"), (top / 2, words.nats(top / 2)), (top, words.nats(top))]
    return line_chart([("divergence", values)], top, labels)


def _agreement(habits: Habits) -> Rate:
    return Rate(round(habits.agreement * habits.tokens), habits.tokens)


def _value(rate: Rate | None) -> Value | None:
    return Value(rate.share, rate.low, rate.high) if rate else None


def _last_turn(question: Question) -> str:
    return question.messages[-1].content


def _setting(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _heat(share: float) -> int:
    return int(share * HEAT + 1e-9)
