"""Rows in, the share right at the end for every kind of probe and every method out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from everlearn.bench.arms import SOLO
from everlearn.bench.report.scoring import Row
from everlearn.bench.statistics import Interval, interval_over_streams
from everlearn.desiderata.contract import Asked

GENERAL = "general"
"""The axis of questions on what the base could do before; they are shown as a family of their own."""

Group = tuple[str, str, str]
"""Family, kind and axis."""
AXES = {
    "atom": "single things, in new words",
    "derived": "single things, turned round or stretched",
    "composition": "two or more things together",
    "adapt": "new values that should have been taken over",
    "resist": "values that doubtful texts should not have changed",
    "scope": "old values, asked for as such",
    "near": "untouched neighbours of what was changed",
    "far": "untouched things of another kind",
    "boundary": "things that must not be claimed or done",
    GENERAL: "what the base could do before",
}
"""What each axis asks, in the order in which the page has them."""


@dataclass(frozen=True)
class Bar:
    """The share right of one method."""

    method: str
    spread: Interval | None
    """Over streams; None where nothing of the kind was asked."""


@dataclass(frozen=True)
class Kind:
    """One kind of probe, or all of an axis."""

    family: str
    name: str
    axis: str
    probes: int
    """Over all streams."""
    chance: float
    """Mean share right of a guesser."""
    bars: tuple[Bar, ...]


def by_axis(rows: Sequence[Row]) -> tuple[Kind, ...]:
    """One entry for every axis that was asked about."""
    found = _group(rows, lambda probe: ("", probe.axis, probe.axis))
    order = {axis: place for place, axis in enumerate(AXES)}
    return tuple(sorted(found, key=lambda kind: (order.get(kind.axis, len(order)), kind.axis)))


def by_family(rows: Sequence[Row]) -> dict[str, tuple[Kind, ...]]:
    """By family, one entry for every kind of its probes; kinds in the order of axes. General questions come last, by
    skill: the lab model's are about worlds that it grew up with, and these are of the same families."""
    found: dict[str, list[Kind]] = defaultdict(list)
    order = {axis: place for place, axis in enumerate(AXES)}
    for kind in _group(
        rows, lambda probe: (GENERAL if probe.axis == GENERAL else probe.family, probe.kind, probe.axis)
    ):
        found[kind.family].append(kind)
    return {
        family: tuple(sorted(some, key=lambda kind: (order.get(kind.axis, len(order)), kind.name)))
        for family, some in sorted(found.items(), key=lambda entry: (entry[0] == GENERAL, entry[0]))
    }


def _group(rows: Sequence[Row], place: Callable[[Asked], Group]) -> list[Kind]:
    asked: dict[Group, dict[tuple[int, str], Asked]] = defaultdict(dict)
    shares: dict[Group, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    compared = [row for row in rows if row.method != SOLO]
    for row in compared:
        for case in row.cases:
            marks: dict[Group, list[bool]] = defaultdict(list)
            replies = case.trial.last.by_probe
            for probe in case.probes:
                if probe.id in replies:
                    marks[place(probe)].append(replies[probe.id].correct)
                    asked[place(probe)][case.trial.stream, probe.id] = probe
            for group, right in marks.items():
                shares[group][row.method].append(fmean(right))
    return [
        Kind(
            *group,
            probes=len(probes),
            chance=fmean(probe.chance for probe in probes.values()),
            bars=tuple(Bar(row.method, _share(shares[group][row.method])) for row in compared),
        )
        for group, probes in asked.items()
    ]


def _share(values: Sequence[float]) -> Interval | None:
    """The interval of a share, which lies within 0 and 1."""
    found = interval_over_streams(values)
    if found is None or found.streams < 2:
        return found
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))
