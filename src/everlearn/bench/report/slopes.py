"""Growths in, their slopes per doubling as a CSV file out; the points themselves are in curves.csv."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path

from everlearn.bench.growth import Growth
from everlearn.report import offline


def write_slopes(found: Sequence[Growth], folder: Path) -> Path:
    """Write slopes.csv (UTF-8, comma, a header line); returns its path. What is undefined is an empty field.

    Raises:
        EverlearnError: the file cannot be written.
    """
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(["family", "method", "score", "per doubling", "low", "high", "streams"])
    for one in found:
        at = one.slope
        figures = [_field(value) for value in (at.value, at.low, at.high)] if at else ["", "", ""]
        lines.writerow([one.family, one.arm, one.score, *figures, at.streams if at else 0])
    return offline.write(folder / "slopes.csv", written.getvalue())


def _field(value: float) -> float | str:
    return value if math.isfinite(value) else ""
