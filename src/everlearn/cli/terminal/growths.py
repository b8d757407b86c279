"""How scores grow with the number of things, or what finding it out will take, in; facts and pages out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from everlearn.bench.arms import REFERENCES
from everlearn.bench.report.columns import figure
from everlearn.cli.terminal.leaderboard import wrapped
from everlearn.cli.terminal.output import columns
from everlearn.data.places import counted
from everlearn.report.words import duration, for_terminal, size

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from everlearn.bench.forecast import Forecast
    from everlearn.bench.growth import Growth
    from everlearn.bench.scaling import Rung
    from everlearn.bench.statistics import Interval

MEANINGS = {
    "accuracy": "right, above chance, on the first things taught",
    "composition": "the same of two or more of them together",
    "AU": "un-cued over cued",
    "shadow rate": "wrong replies that another thing learnt would call for; lower is better",
    "context tokens": "of notes in a question; none for what is learnt in weights",
    "all notes": "of the notes on everything taught: a prompt that nobody chose from",
}
TOKENS = "tokens"
CELL = 11
"""Characters that a mean with its interval takes."""


def page_of(rungs: Sequence[Rung], found: Sequence[Growth], notes: Sequence[str], width: int) -> RenderableType:
    """For each family and score a table, for people: arms down, numbers of things across; `width` is the terminal's."""
    from rich.console import Group

    parts: list[RenderableType] = []
    for family in dict.fromkeys(rung.family for rung in rungs):
        own = [rung for rung in rungs if rung.family == family]
        parts += [*wrapped([_taught(own)]), ""]
        for score in dict.fromkeys(one.score for one in found if one.family == family):
            some = [one for one in found if (one.family, one.score) == (family, score)]
            parts += [_table(score, [rung.count for rung in own], some, width), ""]
    known = [score for score in MEANINGS if any(one.score == score for one in found)]
    said = "; ".join(f"{score}: {MEANINGS[score]}" for score in known)
    more = "; per doubling: least-squares change for each doubling of the things; ±: 95 % interval over streams"
    return Group(*parts, *wrapped([*notes, said + more] if known else [*notes, "nothing is finished yet"]))


def plan_page(found: Mapping[str, Forecast], jobs: int) -> RenderableType:
    """The estimate of all grids, for people."""
    from rich.console import Group

    table = columns("grid", "stages", "rows", "probes", "open cells", "time", numbers=5)
    for name, one in found.items():
        cells = f"{one.open_cells:,} of {one.cells:,}"
        row = (f"{one.stages:,}", f"{one.rows:,}", f"{one.probes:,}", cells, duration(one.seconds))
        table.add_row(name, *map(for_terminal, row))
    seconds = sum(one.seconds for one in found.values())
    disk = max(one.disk for one in found.values())
    said = f"about {duration(seconds)} with {counted(jobs, 'worker')}, up to {size(disk)} of weights at a time"
    return Group(table, "", *wrapped([f"{said}; nothing was trained and nothing was stored"]))


def facts_of(rungs: Sequence[Rung], found: Sequence[Growth], notes: Sequence[str]) -> dict[str, object]:
    """The same as plain data; what is infinite for want of streams is null."""
    return {
        "grids": [
            {
                "family": rung.family,
                "things": rung.count,
                "stages": rung.lessons,
                "asked": rung.asked,
                "folder": str(rung.grid.folder),
            }
            for rung in rungs
        ],
        "growths": [
            {
                "family": one.family,
                "arm": one.arm,
                "score": one.score,
                "points": [{"things": count, **_plain(at)} for count, at in one.points.items()],
                "per_doubling": _plain(one.slope) if one.slope else None,
            }
            for one in found
        ],
        "notes": list(notes),
    }


def _taught(own: Sequence[Rung]) -> str:
    """`operators: 4, 16, 64 things in 1, 2, 8 stages; probes are about 4, 8, 8 of them`."""
    things, stages = (
        ", ".join(f"{n:,}" for n in row) for row in zip(*((r.count, r.lessons) for r in own), strict=True)
    )
    asked = ", ".join("–" if rung.asked is None else f"{rung.asked:,}" for rung in own)
    return f"{own[0].family}: {things} things in {stages} stages; atom probes are about {asked} of them"


def _table(score: str, counts: Sequence[int], some: Sequence[Growth], width: int) -> Table:
    """Without intervals where they do not fit beside each other."""
    names = max([len(score), *(min(len(one.arm), 20) for one in some)])
    wide = names + (CELL + 1) * (len(counts) + 1) <= width
    table = columns(score, *(f"{count:,}" for count in counts), "per doubling", numbers=len(counts) + 1)
    table.columns[0].no_wrap = False
    table.columns[0].min_width = 10
    unit = TOKENS if score in ("context tokens", "all notes") else ""
    for one in some:
        cells = [*(one.points.get(count) for count in counts), one.slope]
        shown = [_cell(at, unit, wide) for at in cells]
        table.add_row(one.arm, *map(for_terminal, shown), style="dim" if one.arm in REFERENCES else "")
    return table


def _cell(at: Interval | None, unit: str, wide: bool) -> str:
    if at is None:
        return "·"
    text = figure(at.value, unit)
    if wide and not unit and math.isfinite(at.low):
        text += f" ±{figure((at.high - at.low) / 2).removeprefix('0')}"
    return text


def _plain(at: Interval) -> dict[str, float | int | None]:
    low, high = (value if math.isfinite(value) else None for value in (at.low, at.high))
    return {"mean": at.value, "low": low, "high": high, "streams": at.streams}
