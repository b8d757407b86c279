"""Figures by version in, the coordinates of a line chart out: the page's template draws them as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 360.0, 200.0
LEFT, RIGHT, TOP, BOTTOM = 44.0, 348.0, 10.0, 176.0
APART = 5.0
"""Units between the marks of two lines at the same version."""
LABELS = 12
"""Versions that can be named below the axis without crowding."""


class Value(NamedTuple):
    """A figure with its 95 % interval; without one, `low` and `high` are the figure itself."""

    value: float
    low: float
    high: float


class Mark(NamedTuple):
    """A point of a line, in the chart's units."""

    x: float
    y: float
    low: float
    high: float


class Line(NamedTuple):
    """One line: its name, its marks, and the SVG path through them."""

    name: str
    marks: tuple[Mark, ...]
    path: str


class Tick(NamedTuple):
    """A labelled place on an axis."""

    at: float
    label: str


class Chart(NamedTuple):
    """Everything that the template needs to draw."""

    lines: tuple[Line, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    width: float = WIDTH
    height: float = HEIGHT
    left: float = LEFT
    right: float = RIGHT
    bottom: float = BOTTOM


def line_chart(
    lines: Sequence[tuple[str, Sequence[Value | None]]], top: float, labels: Sequence[tuple[float, str]]
) -> Chart:
    """A chart of lines over the versions, the base at the left.

    Args:
        lines: names, and a value for each version; None leaves a gap.
        top: the value at the upper edge; the lower edge is 0.
        labels: values and texts for the upright axis.
    """
    count = len(lines[0][1])
    drawn = [
        _line(name, values, top, APART * (number - (len(lines) - 1) / 2)) for number, (name, values) in enumerate(lines)
    ]
    step = math.ceil(count / LABELS)
    across = [Tick(_x(place, count), "base" if place == 0 else str(place)) for place in range(0, count, step)]
    up = [Tick(_y(value, top), label) for value, label in labels]
    return Chart(tuple(drawn), tuple(across), tuple(up))


def _line(name: str, values: Sequence[Value | None], top: float, shift: float) -> Line:
    marks, path, pen = [], [], "M"
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        mark = Mark(_x(place, len(values)) + shift, *(_y(figure, top) for figure in value))
        marks.append(mark)
        path.append(f"{pen}{mark.x:.1f} {mark.y:.1f}")
        pen = "L"
    return Line(name, tuple(marks), " ".join(path))


def _x(place: int, count: int) -> float:
    return round(LEFT + (RIGHT - LEFT) * (place + 0.5) / count, 1)


def _y(value: float, top: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * value / top, 1)
