"""Scores of a benchmark in; the leaderboard and comparisons, as plain facts and as pages, out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from everlearn.bench.report.columns import Column, figure
from everlearn.cli.terminal.output import columns
from everlearn.report.words import for_terminal

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from everlearn.bench.report.content import Board
    from everlearn.bench.report.scoring import Row
    from everlearn.bench.statistics import Verdict

TELLING = (
    Column("LA", "learnt", "LA, right just after it was taught"),
    Column("BWT", "kept", "BWT, its change by the end"),
    Column("ACC", "ACC", "right at the end"),
    Column("JNS", "JNS", "share of what joint training gains"),
    Column("rho", "ρ", "general ability left"),
    Column("CS_cross", "compose", "CS_cross, what two stages taught, together; over joint training's"),
)
"""What fits into 80 characters."""

FURTHER = (
    Column("FWT", "FWT", "what is known before it is taught"),
    Column("OW", "OW", "adapts, resists, spares what is near"),
    Column("AU", "AU", "un-cued over cued"),
    Column("FLOPs", "FLOPs", "of learning"),
    Column("bytes kept", "bytes", "kept at the end"),
)
LEGEND = "; ".join(f"{column.title}: {column.meaning}" for column in TELLING[:2])
"""What the two columns with a word of their own are, in one line."""
OVER_ORDERS = Column("ACC", "SD", "SD of ACC over streams, each of another order and another world")
"""The column after these."""
"""What stands beside it where the terminal is wide."""

WIDE = 128
"""Columns of a wide terminal."""

NAME, GAP = 10, 2
"""Columns that the name of an arm has at least, and that lie between two columns of the table."""


@dataclass(frozen=True)
class Figure:
    """One score of one arm."""

    value: float | None
    low: float | None
    """Lower end of the 95 % interval over streams; None for fewer than two of them."""
    high: float | None
    streams: int
    better: str
    note: str


@dataclass(frozen=True)
class Line:
    """One arm of the leaderboard."""

    method: str
    reference: bool
    labels: tuple[str, ...]
    streams: int
    scores: Mapping[str, Figure]
    spread_over_orders: float | None = None
    """SD of ACC over streams, each of another order of families and another world; None for fewer than two."""


def lines_of(rows: Sequence[Row]) -> tuple[Line, ...]:
    """The leaderboard as plain facts."""
    return tuple(
        Line(
            row.method,
            row.reference,
            row.labels,
            len(row.cases),
            {
                name: Figure(
                    scored.spread.value if scored.spread else None,
                    _finite(scored.spread.low) if scored.spread else None,
                    _finite(scored.spread.high) if scored.spread else None,
                    scored.spread.streams if scored.spread else 0,
                    scored.better,
                    "; ".join(scored.notes),
                )
                for name, scored in row.scores.items()
            },
            row.orders.spread if row.orders else None,
        )
        for row in rows
    )


def page_of(lines: Sequence[Line], notes: Sequence[str], width: int) -> RenderableType:
    """The leaderboard for people, after what must be known to read it; `width` is the terminal's."""
    from rich.console import Group

    wide = width >= WIDE
    chosen = (*TELLING, *FURTHER) if wide else TELLING
    said = [f"{line.method}: {label}" for line in lines for label in line.labels]
    others = [*chosen[2:], *([OVER_ORDERS] if wide else [])]
    meanings = "; ".join(f"{column.title}: {column.meaning}" for column in others)
    meanings += "; n: streams; ±: 95 % interval over streams"
    if any(_is_short(line.scores.get(column.score), line.streams) for line in lines for column in chosen):
        meanings += "; 3 of 10: a mean over 3 of 10 streams, undefined on the others"
    first = [*wrapped([f"note: {note}" for note in notes]), ""] if notes else []
    return Group(*first, _table(lines, chosen, wide, width), "", *wrapped([*said, LEGEND, meanings]))


def _table(lines: Sequence[Line], chosen: Sequence[Column], wide: bool, width: int) -> Table:
    """The figures, each interval below its mean where they would not fit side by side."""
    titles = [column.title for column in chosen] + ([OVER_ORDERS.title] if wide else []) + ["n"]
    rows = [[_cell(line.scores.get(column.score), column, line.streams) for column in chosen] for line in lines]
    for cells, line in zip(rows, lines, strict=True):
        if wide:
            cells.append("·" if line.spread_over_orders is None else for_terminal(figure(line.spread_over_orders)))
        cells.append(f"{line.streams}")
    needed = NAME + sum(GAP + max(map(_breadth, column)) for column in zip(titles, *rows, strict=True))
    table = empty_table(titles[:-1])
    for line, cells in zip(lines, rows, strict=True):
        fitting = [cell.replace(" ±", "\n±") if needed > width else cell for cell in cells]
        table.add_row(line.method, *fitting, style="dim" if line.reference else "")
    return table


def verdicts_page(a: str, b: str, verdicts: Sequence[Verdict]) -> RenderableType:
    """A comparison for people."""
    from rich.console import Group

    table = columns(f"{a} − {b}", "difference", "95% interval", "p (Holm)", "could show", numbers=4)
    for verdict in verdicts:
        sure = math.isfinite(verdict.low)
        cells = (
            figure(verdict.difference),
            f"{figure(verdict.low)} to {figure(verdict.high)}" if sure else "–",
            f"{verdict.adjusted:.3f}" if sure else "–",
            f"±{figure(verdict.detectable)}" if sure else "–",
        )
        table.add_row(verdict.axis, *map(for_terminal, cells))
    words = {"A is better": f"{a} is better", "B is better": f"{b} is better", "not enough evidence": ""}
    axes = {said: [one.axis for one in verdicts if one.words == key] for key, said in words.items()}
    said = [f"{text or 'not enough evidence'}: {'; '.join(some)}" for text, some in axes.items() if some]
    streams = max((verdict.streams for verdict in verdicts), default=0)
    return Group(table, "", *wrapped(said), "", *wrapped([_evidence(streams)]))


def _evidence(streams: int) -> str:
    from everlearn.bench.statistics import questions_needed

    five, two = questions_needed(5), questions_needed(2)
    return (
        f"paired t test over {streams} streams, for these two alone; p by Holm for so many axes. `could show` is the "
        "least difference that so many streams would have shown with 80 % power. Within one stream it takes about "
        f"{five:,} paired questions to see 5 points, {two:,} for 2."
    )


def empty_table(titles: Sequence[str]) -> Table:
    """A leaderboard with these columns, in which no name is ever cut off."""
    table = columns("method", *titles, "n", numbers=len(titles) + 1)
    table.columns[0].no_wrap = False  # a long name takes a second line; it never vanishes
    table.columns[0].min_width = NAME
    return table


def _is_short(found: Figure | None, streams: int) -> bool:
    """Whether a mean is over fewer streams than there are."""
    return found is not None and 0 < found.streams < streams


def _breadth(cell: str) -> int:
    """Columns that a cell of one line or more takes."""
    return max(map(len, cell.split("\n")))


def _cell(found: Figure | None, column: Column, streams: int) -> str:
    """A mean, its interval and, on a line of its own, how many of the streams it is over where that is not all."""
    if found is None or found.value is None:
        return "·"
    unit = {"FLOPs": "FLOPs", "bytes kept": "bytes"}.get(column.score, "")
    text = figure(found.value, unit)
    if found.low is not None and found.high is not None and not unit:
        text += f" ±{figure((found.high - found.low) / 2).removeprefix('0')}"
    if _is_short(found, streams):
        text += f"\n{found.streams} of {streams}"
    return for_terminal(text)


def wrapped(lines: Sequence[str]) -> list[RenderableType]:
    """Lines of text that are broken where they are too long."""
    from rich.text import Text

    return [Text(for_terminal(line), overflow="fold") for line in lines]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def facts_of(board: Board, lines: Sequence[Line]) -> dict[str, object]:
    """A board as plain data."""
    facts = {"facts": board.facts, "notes": board.notes, "leaderboard": lines}
    return facts | ({"beside": board.beside} if board.beside else {})


def verdict_facts(verdict: Verdict) -> dict[str, object]:
    """A verdict as plain data; what is infinite for want of streams is null."""
    return {name: None if value in (math.inf, -math.inf) else value for name, value in asdict(verdict).items()}
