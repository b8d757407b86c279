"""Two scores of all methods in, the coordinates of a scatter plot with names and a Pareto front out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from everlearn.bench.report import axes
from everlearn.bench.report.axes import Axis
from everlearn.bench.report.content import NOTHING
from everlearn.bench.report.scoring import Row
from everlearn.bench.statistics import Interval
from everlearn.report.chart import Tick

WIDE, HIGH = 400.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 388.0, 14.0, 250.0
ROOM = 0.15
"""Of an interval that is longer, this much is shown to each side."""
LETTER, LINE = 7.2, 12.0
"""About the width of a letter and the height of a line, in units of a scatter plot."""
NAMED = 10
"""Of more methods the first so many are named, and those at the front."""
Box = tuple[float, float, float, float]
"""Left, upper, right and lower edge."""


@dataclass(frozen=True)
class Dot:
    """One method in a scatter plot, with its intervals and its name beside it."""

    name: str
    reference: bool
    front: bool
    """Whether no other method is at least as good on both axes and better on one."""
    named: bool
    """Whether its name and its intervals are drawn: not those of all methods where there are many."""
    x: float
    y: float
    left: float
    right: float
    low: float
    high: float
    name_x: float
    name_y: float
    anchor: str
    """Of the name: `start`, `end` or `middle`."""
    said: str
    """Both figures in words."""


@dataclass(frozen=True)
class Scatter:
    """Two scores of all methods."""

    across_name: str
    up_name: str
    dots: tuple[Dot, ...]
    front: str
    """SVG path along the methods that no other one beats."""
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    left_out: tuple[str, ...]
    """Methods without one of the two figures."""


@dataclass(frozen=True)
class Measure:
    """A score as one axis of a scatter plot."""

    score: str
    name: str
    costs: bool = False
    """Whether less is better, on a logarithmic axis."""
    label: axes.Label = axes.share
    """Writes a figure on the axis."""


def scatter(rows: Sequence[Row], across: Measure, up: Measure) -> Scatter | None:
    """All methods that have both scores; None where fewer than two have.

    Args:
        rows: the methods, those first that are to be named where there are many.
    """
    found = [(row, a, u) for row in rows if (a := _spread(row, across)) and (u := _spread(row, up))]
    if len(found) < 2:
        return None
    xs = [end for _, a, _ in found for end in _ends(a, across)]
    ys = [end for _, _, u in found for end in _ends(u, up)]
    make = axes.logarithmic if across.costs else axes.linear
    x_axis, y_axis = make(xs, LEFT, RIGHT), axes.linear(ys, BOTTOM, TOP)
    best = _front(found, across.costs)
    named = (
        {row.method for row, _, _ in found if row.reference} | best | set([row.method for row, _, _ in found][:NAMED])
    )
    dots = _placed([_dot(entry, x_axis, y_axis, across, best, named) for entry in found])
    return Scatter(
        across.name,
        up.name,
        tuple(dots),
        _steps_path([dot for dot in dots if dot.front], across.costs),
        x_axis.ticks(across.label),
        y_axis.ticks(axes.share),
        tuple(row.method for row in rows if row.method not in {entry[0].method for entry in found}),
    )


def _spread(row: Row, measure: Measure) -> Interval | None:
    scored = row.scores.get(measure.score)
    spread = scored.spread if scored else None
    return None if spread is None or (measure.costs and spread.value <= 0) else spread


def _ends(spread: Interval, measure: Measure) -> tuple[float, ...]:
    """What the axis must hold: the mean, and of a score as much of its interval as leaves room for the others."""
    near = (max(spread.low, spread.value - ROOM), min(spread.high, spread.value + ROOM, max(1.0, spread.value)))
    return (spread.value,) if measure.costs else (spread.value, *near)


def _dot(
    entry: tuple[Row, Interval, Interval], x_axis: Axis, y_axis: Axis, across: Measure, best: set[str], named: set[str]
) -> Dot:
    row, a, u = entry
    front, is_named = row.method in best, row.method in named
    x, y = x_axis.place(a.value), y_axis.place(u.value)
    left, right = (x, x) if across.costs or a.streams < 2 else (x_axis.place(a.low), x_axis.place(a.high))
    said = f"{row.method}: {across.label(a.value)} across, {axes.share(u.value)} up"
    low, high = (y, y) if u.streams < 2 else (y_axis.place(u.low), y_axis.place(u.high))
    return Dot(row.method, row.reference, front, is_named, x, y, left, right, low, high, x, y, "start", said)


def _front(found: Sequence[tuple[Row, Interval, Interval]], costs: bool) -> set[str]:
    """Methods that no other one beats, without references and what was not trained."""
    sign = -1 if costs else 1
    at = {
        row.method: (sign * a.value, u.value) for row, a, u in found if not row.reference and NOTHING not in row.labels
    }
    return {
        name for name, (x, y) in at.items() if not any(p >= x and q >= y and (p, q) != (x, y) for p, q in at.values())
    }


def _steps_path(dots: Sequence[Dot], costs: bool) -> str:
    """The edge of what some method reaches: everything on its worse side is beaten."""
    ordered = sorted(dots, key=lambda dot: dot.x)
    path = []
    for one, other in itertools.pairwise(ordered):
        corner = f"{other.x} {one.y}" if costs else f"{one.x} {other.y}"
        path.append(f"M{one.x} {one.y}L{corner}L{other.x} {other.y}")
    return "".join(path)


def _placed(dots: Sequence[Dot]) -> list[Dot]:
    """The dots with their names, where they have some, where these cover least of other names, dots and the edges."""
    taken = [(dot.x - 6, dot.y - 6, dot.x + 6, dot.y + 6) for dot in dots]
    placed = [dot for dot in dots if not dot.named]
    for dot in sorted((dot for dot in dots if dot.named), key=lambda dot: (dot.reference, dot.y)):
        options = [_name_at(dot, *place) for place in _PLACES]
        box, x, y, anchor = min(
            options, key=lambda option: sum(_overlap(option[0], other) for other in taken) + _outside(option[0])
        )
        taken.append(box)
        placed.append(replace(dot, name_x=x, name_y=y, anchor=anchor))
    return placed


_PLACES = (
    (9, 4, "start"),
    (-9, 4, "end"),
    (0, -10, "middle"),
    (0, 19, "middle"),
    (8, -8, "start"),
    (8, 17, "start"),
    (-8, -8, "end"),
    (-8, 17, "end"),
    (8, -20, "start"),
    (8, 29, "start"),
    (-8, -20, "end"),
    (-8, 29, "end"),
)
"""Where a name can stand beside its dot, the best first."""


def _name_at(dot: Dot, dx: float, dy: float, anchor: str) -> tuple[Box, float, float, str]:
    x, y = round(dot.x + dx, 1), round(dot.y + dy, 1)
    wide = LETTER * len(dot.name)
    left = {"start": x, "end": x - wide, "middle": x - wide / 2}[anchor]
    return (left, y - LINE + 3, left + wide, y + 3), x, y, anchor


def _overlap(one: Box, other: Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def _outside(box: Box) -> float:
    over = max(0, LEFT - box[0]) + max(0, box[2] - WIDE) + max(0, -box[1]) + max(0, box[3] - BOTTOM)
    return 100 * over
