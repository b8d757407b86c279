"""Nothing in; which scores the leaderboard and the profile show, and how a figure is written, out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from everlearn.bench.report.content import NOTHING, TOGETHER
from everlearn.bench.report.scoring import Row, Scored
from everlearn.bench.statistics import LEAST_STREAMS, Interval
from everlearn.report import words


@dataclass(frozen=True)
class Column:
    """One score of the leaderboard."""

    score: str
    """Its name."""
    title: str
    """What the table calls it."""
    meaning: str
    """In a few words."""
    full: float = 1.0
    """The value at which its bar in the profile is full; it is empty one below."""
    best: bool = True
    """Whether the largest (or smallest) value is the best."""


LEADERBOARD = (
    Column("rho", "ρ", "general skills kept"),
    Column("JNS", "JNS", "way from base to joint"),
    Column("LA", "LA", "right just after learning"),
    Column("BWT", "BWT", "change since learnt"),
    Column("forgetting", "forgetting", "below its best"),
    Column("CS_cross", "CS cross", "stages combined, of joint"),
    Column("OW", "OW", "adapts, resists, spares"),
    Column("AU", "AU", "un-cued, of cued", best=False),
    Column("FLOPs", "FLOPs", "of learning"),
    Column("bytes kept", "bytes", "kept at the end"),
)
PROFILE = (
    Column("rho", "preserve", "ρ: general skills kept"),
    Column("JNS", "sequence", "JNS: way from base to joint"),
    Column("BWT far", "shift", "BWT far; a full bar is no loss", full=0.0),
    Column("JNS at budget", "efficiency", "JNS for what joint training costs"),
    Column("CS_cross", "compose", "CS cross: stages combined"),
    Column("OW", "overwrite", "OW: adapts, resists, spares"),
    Column("AU", "automatic", "AU: un-cued, of cued"),
)
"""The five desiderata, then two open questions."""
COUNTS = ("tokens", "questions")
"""Units of which there are whole ones only."""
LABELS = {
    "full replay": "its memory holds nearly all of the raw stream: what it keeps, it may be learning again",
    NOTHING: "no weight changed; its scores are those of the base",
    TOGETHER: "joint training with other settings; a reference",
}


def shown(columns: Sequence[Column], rows: Sequence[Row]) -> tuple[Column, ...]:
    """The columns for which some row has a value."""
    return tuple(column for column in columns if any(row.mean(column.score) is not None for row in rows))


def best(column: Column, rows: Sequence[Row]) -> set[str]:
    """The methods with the best mean, several where they tie; none on fewer than LEAST_STREAMS streams. References and
    what was not trained are left out."""
    compared = [row for row in rows if not row.reference and NOTHING not in row.labels]
    streams = {case.trial.stream for row in compared for case in row.cases}
    if not column.best or len(streams) < LEAST_STREAMS:
        return set()
    found = {row.method: mean for row in compared if (mean := row.mean(column.score)) is not None}
    if len(found) < 2:
        return set()
    scored = next(row.scores[column.score] for row in rows if row.method in found)
    if not scored.better:
        return set()
    wanted = (min if scored.better == "lower" else max)(found.values())
    return {method for method, mean in found.items() if mean == wanted}


def figure(value: float, unit: str = "") -> str:
    """A figure as tables have it: `0.71`, `−0.12`, `1.2 × 10¹⁵`, `18.9 MB`."""
    if unit == "bytes":
        return words.size(round(value)) if value >= 0 else f"−{words.size(round(-value))}"
    if unit == "FLOPs" or abs(value) >= 1e6:
        return ("−" if value < 0 else "") + words.power(abs(value))
    if abs(value) >= 100 or unit in COUNTS:
        text = f"{value:,.0f}"
    elif unit and abs(value) < 1:
        text = f"{value:.3f}"
    else:
        text = f"{value:.2f}"
    return text.lstrip("-") if text.strip("-0.") == "" else text.replace("-", "−")


def interval(spread: Interval, unit: str = "") -> str:
    """`0.65–0.77`, `−0.15 to −0.09`: an interval over streams; empty where it has no width."""
    if spread.streams < 2:
        return "1 stream"
    if spread.low == spread.high:
        return ""
    low, high = figure(spread.low, unit), figure(spread.high, unit)
    joint = " to " if "−" in low + high or unit in ("FLOPs", "bytes") else "–"
    return f"{low}{joint}{high}"


def coverage(spread: Interval, streams: int) -> str:
    """`3 of 10 streams`, where a mean is over fewer streams than there are; empty where it is over all."""
    return f"{spread.streams} of {streams} streams" if spread.streams < streams else ""


def beside(spread: Interval, streams: int, unit: str = "", bare: bool = False) -> str:
    """What stands beside a mean: its interval, unless `bare`, and how many streams it is over, where these are fewer
    than `streams`."""
    over = coverage(spread, streams)
    width = "" if bare or (over and spread.streams < 2) else interval(spread, unit)
    return " · ".join(part for part in (width, over) if part)


def why_not(scored: Scored | None) -> str:
    """Why a score is undefined, for a reader who points at the gap."""
    return "; ".join(scored.notes) if scored and scored.notes else "not measured"


def chance_of(p: float) -> str:
    """`0.013`, `<0.001`: a p-value."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def label_meaning(label: str) -> str:
    """What a label of a trial means, in plain words; empty where it explains itself."""
    return LABELS.get(label, "")
