"""A method's cases in, its mean accuracy matrix and how well each stage is remembered out."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from everlearn.bench.report.scoring import Row
from everlearn.desiderata.sequence import accuracy_matrix

Cell = float | None
HEAT = 10
"""Steps of colour between nothing and everything right."""
SHOWN = 16
"""Rows and columns of a matrix that can be read; of a longer stream evenly spaced ones are shown."""


@dataclass(frozen=True)
class Matrix:
    """Mean over streams of R[t, i]."""

    method: str
    reference: bool
    streams: int
    cells: tuple[tuple[Cell, ...], ...]
    """By stages learnt (0 first), then by stage asked about."""
    rows: tuple[int, ...]
    """Which of the rows are shown."""
    columns: tuple[int, ...]
    """Which of the stages are shown, 1-based."""

    @property
    def picture(self) -> tuple[tuple[int, str], ...]:
        """The shown cells by step of colour, each as an SVG path of unit squares."""
        squares: dict[int, list[str]] = defaultdict(list)
        for down, learnt in enumerate(self.rows):
            for across, stage in enumerate(self.columns):
                if (cell := self.cells[learnt][stage - 1]) is not None:
                    squares[step_of(cell)].append(f"M{across} {down}h1v1h-1z")
        return tuple((step, "".join(paths)) for step, paths in sorted(squares.items()))


@dataclass(frozen=True)
class Fading:
    """How much of each stage is left as more stages are learnt."""

    method: str
    stages: tuple[tuple[int, tuple[Cell, ...]], ...]
    """Some stages, 1-based, each with its accuracy 0, 1, 2, … stages after it was learnt."""
    mean: tuple[Cell, ...]
    """Over all stages that were followed by so many others."""


def step_of(value: float) -> int:
    """The step of colour of a value, 0 to HEAT."""
    return min(HEAT, max(0, int(value * HEAT + 1e-9)))


def matrix_of(row: Row) -> Matrix | None:
    """The mean matrix of a method; None where it did not learn stage by stage."""
    found = [single.cells for case in row.cases if (single := accuracy_matrix(case)).steps]
    if not found:
        return None
    stages = max(len(single) for single in found) - 1
    cells = tuple(
        tuple(_mean([_at(single, t, i) for single in found]) for i in range(stages)) for t in range(stages + 1)
    )
    columns = evenly(range(1, stages + 1), SHOWN)
    return Matrix(row.method, row.reference, len(found), cells, (0, *columns), columns)


def fading(matrix: Matrix, most: int = 12) -> Fading:
    """How the stages of a matrix fade, `most` of them one by one."""
    stages = len(matrix.cells) - 1
    lines = {i: tuple(matrix.cells[t][i - 1] for t in range(i, stages + 1)) for i in range(1, stages + 1)}
    mean = tuple(_mean([line[age] for line in lines.values() if age < len(line)]) for age in range(stages))
    return Fading(matrix.method, tuple((i, lines[i]) for i in evenly(range(1, stages + 1), most)), mean)


def evenly(places: Sequence[int], most: int) -> tuple[int, ...]:
    """At most so many of some places, evenly spaced, the last among them."""
    step = max(1, math.ceil(len(places) / most))
    return tuple(place for number, place in enumerate(places) if (len(places) - 1 - number) % step == 0)


def _at(single: Sequence[Sequence[float | None]], t: int, i: int) -> float | None:
    return single[t][i] if t < len(single) and i < len(single[t]) else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
