"""Fading stages and scaling curves in, the coordinates of small charts side by side out; templates draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from everlearn.bench.report import axes
from everlearn.bench.report.axes import Axis
from everlearn.bench.report.columns import figure
from everlearn.bench.report.content import Curve
from everlearn.bench.report.matrix import Cell, Fading
from everlearn.report.chart import Tick

WIDE, HIGH = 220.0, 132.0
LEFT, RIGHT, TOP, BOTTOM = 28.0, 214.0, 8.0, 108.0


@dataclass(frozen=True)
class Trace:
    """One line of a small chart."""

    name: str
    path: str
    mark: tuple[float, float]
    """Its last place."""


@dataclass(frozen=True)
class Panel:
    """A small chart: many thin lines and one that matters."""

    title: str
    reference: bool
    thin: tuple[Trace, ...]
    thick: Trace
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    said: str


def fading_panels(faded: Sequence[Fading], references: Sequence[str]) -> tuple[Panel, ...]:
    """A panel for every method, all on the same axes."""
    values = [v for fading in faded for _, line in fading.stages for v in line if v is not None]
    if not values:
        return ()
    longest = max(len(fading.mean) for fading in faded)
    x_axis = Axis(0, max(longest - 1, 1), LEFT, RIGHT)
    y_axis = axes.linear(values, BOTTOM, TOP, (0.0, 1.0))
    across = x_axis.ticks(axes.amount, 6)
    up = y_axis.ticks(axes.share, 2)
    panels = []
    for fading in faded:
        thin = tuple(_trace(f"stage {stage}", line, x_axis, y_axis) for stage, line in fading.stages if len(line) > 1)
        known = [value for value in fading.mean if value is not None]
        said = f"{figure(known[0])} → {figure(known[-1])} after {len(fading.mean) - 1} stages" if known else "not asked"
        thick = _trace("mean", fading.mean, x_axis, y_axis)
        panels.append(Panel(fading.method, fading.method in references, thin, thick, across, up, said))
    return tuple(panels)


def scaling_panels(curves: Sequence[Curve]) -> tuple[tuple[str, str, tuple[Panel, ...]], ...]:
    """By score and size, a panel for every method that shows the others' curves as thin lines."""
    found = []
    for score, size in dict.fromkeys((curve.score, curve.size) for curve in curves):
        some = [curve for curve in curves if (curve.score, curve.size) == (score, size) and curve.points]
        if some:
            found.append((score, size, _scaling(some)))
    return tuple(found)


def _scaling(curves: Sequence[Curve]) -> tuple[Panel, ...]:
    sizes = [point.across for curve in curves for point in curve.points]
    x_axis = axes.logarithmic(sizes, LEFT, RIGHT)
    y_axis = axes.linear([p.value for curve in curves for p in curve.points], BOTTOM, TOP, (0.0, 1.0))
    traces = [_curve(curve, x_axis, y_axis) for curve in curves]
    across = tuple(
        Tick(x_axis.place(size), axes.amount(size)) for size in sorted(set(sizes))[:: max(1, len(set(sizes)) // 4)]
    )
    up = y_axis.ticks(axes.share, 2)
    panels = []
    for place, curve in enumerate(curves):
        first, last = curve.points[0], curve.points[-1]
        sizes_named = f"{axes.amount(first.across)} to {axes.amount(last.across)}"
        said = f"{figure(first.value)} → {figure(last.value)}, from {sizes_named}"
        others = tuple(trace for other, trace in enumerate(traces) if other != place)
        panels.append(Panel(curve.method, False, others, traces[place], across, up, said))
    return tuple(panels)


def _curve(curve: Curve, x_axis: Axis, y_axis: Axis) -> Trace:
    places = [(x_axis.place(point.across), y_axis.place(point.value)) for point in curve.points]
    return Trace(curve.method, "M" + "L".join(f"{x} {y}" for x, y in places), places[-1])


def _trace(name: str, line: Sequence[Cell], x_axis: Axis, y_axis: Axis) -> Trace:
    path, pen, last = [], "M", (LEFT, BOTTOM)
    for age, value in enumerate(line):
        if value is None:
            pen = "M"
            continue
        last = (x_axis.place(age), y_axis.place(value))
        path.append(f"{pen}{last[0]} {last[1]}")
        pen = "L"
    return Trace(name, "".join(path), last)
