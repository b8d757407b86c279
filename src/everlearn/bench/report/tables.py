"""A board in, its figures as tables in CSV files out."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from everlearn.bench.report import kinds
from everlearn.bench.report.content import Board
from everlearn.bench.report.matrix import matrix_of
from everlearn.bench.report.scoring import Row, installed, score
from everlearn.desiderata.contract import Desideratum
from everlearn.report import offline

Line = Sequence[object]
TOKENS = ("new", "replayed", "synthetic", "teacher", "generated", "study")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def write_csv(board: Board, folder: Path, desiderata: Mapping[str, Desideratum] | None = None) -> tuple[Path, ...]:
    """Write the tables of a board as CSV (UTF-8, comma, a header line); returns their paths.

    means.csv holds the means over streams with their intervals, scores.csv each stream's scores, matrices.csv the mean
    R[t, i], kinds.csv shares right by kind of probe, costs.csv what each stage cost, comparisons.csv the verdicts,
    curves.csv the points of scaling curves, orders.csv how far ACC scatters over streams, agreement.csv how another
    grid ranks the same methods. What is undefined is an empty field.

    Raises:
        EverlearnError: a file cannot be written.
        PluginError: a desideratum is broken.
    """
    rows = score(board, installed() if desiderata is None else desiderata)
    tables = {
        "means": _means(rows),
        "scores": _scores(rows),
        "matrices": _matrices(rows),
        "kinds": _kinds(rows),
        "costs": _costs(rows),
        "comparisons": _comparisons(board),
        "curves": _curves(board),
        "orders": _orders(rows),
        "agreement": _agreement(board),
    }
    return tuple(offline.write(folder / f"{name}.csv", _text(lines)) for name, lines in tables.items())


def _means(rows: Sequence[Row]) -> Iterable[Line]:
    yield "method", "reference", "desideratum", "score", "better", "unit", "mean", "low", "high", "streams", "note"
    for row in rows:
        for scored in row.scores.values():
            spread = scored.spread
            figures = (spread.value, spread.low, spread.high, spread.streams) if spread else ("", "", "", 0)
            about = (row.method, row.reference, scored.desideratum, scored.name, scored.better, scored.unit)
            yield *about, *figures, "; ".join(scored.notes)


def _scores(rows: Sequence[Row]) -> Iterable[Line]:
    yield "method", "stream", "desideratum", "score", "value"
    for row in rows:
        for scored in row.scores.values():
            for stream, value in scored.values.items():
                yield row.method, stream, scored.desideratum, scored.name, value


def _matrices(rows: Sequence[Row]) -> Iterable[Line]:
    yield "method", "learnt", "stage", "accuracy"
    for row in rows:
        matrix = matrix_of(row)
        for learnt, line in enumerate(matrix.cells if matrix else ()):
            for stage, value in enumerate(line, 1):
                yield row.method, learnt, stage, value


def _kinds(rows: Sequence[Row]) -> Iterable[Line]:
    yield "family", "kind", "axis", "probes", "chance", "method", "right", "low", "high"
    for family, found in kinds.by_family(rows).items():
        for kind in found:
            for bar in kind.bars:
                if bar.spread:
                    about = (family, kind.name, kind.axis, kind.probes, kind.chance, bar.method)
                    yield *about, bar.spread.value, bar.spread.low, bar.spread.high


def _costs(rows: Sequence[Row]) -> Iterable[Line]:
    tokens = (f"tokens {kind}" for kind in TOKENS)
    yield "method", "stream", "stage", *tokens, "FLOPs", "seconds", "peak memory", "bytes kept"
    for row in rows:
        for case in row.cases:
            for moment in case.trial.moments:
                if moment.share == 1.0 and moment.stage:
                    spent = moment.cost
                    counts = (spent.tokens.get(kind, 0) for kind in TOKENS)
                    about = (row.method, case.trial.stream, moment.stage)
                    yield *about, *counts, spent.flops, spent.seconds, spent.peak_memory, moment.bytes_kept


P_VALUES = ("p", "adjusted p", "bootstrap p", "sign-flip p")


def _comparisons(board: Board) -> Iterable[Line]:
    yield "a", "b", "axis", "difference", "low", "high", *P_VALUES, "detectable", "streams", "probes", "verdict"
    for pair in board.comparisons:
        for v in pair.verdicts:
            chances = (v.p, v.adjusted, v.bootstrapped, v.flipped)
            figures = (v.difference, v.low, v.high, *chances, v.detectable, v.streams, v.probes)
            yield pair.a, pair.b, v.axis, *figures, v.words


def _curves(board: Board) -> Iterable[Line]:
    yield "method", "score", "size", "across", "value", "low", "high"
    for curve in board.curves:
        for point in curve.points:
            yield curve.method, curve.score, curve.size, point.across, point.value, point.low, point.high


def _orders(rows: Sequence[Row]) -> Iterable[Line]:
    yield "method", "reference", "SD of ACC", "worst", "best", "streams"
    for row in rows:
        if found := row.orders:
            yield row.method, row.reference, found.spread, found.worst, found.best, found.streams


def _agreement(board: Board) -> Iterable[Line]:
    yield "beside", "score", "Spearman's rho", "p of rho", "Kendall's tau-b", "p of tau-b", "methods"
    for found in board.beside.agreements if board.beside else ():
        figures = (found.spearman, found.spearman_p, found.kendall, found.kendall_p, len(found.arms))
        yield board.beside.title if board.beside else "", found.score, *figures


def _text(lines: Iterable[Line]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([_field(value) for value in line] for line in lines)
    return written.getvalue()


def _field(value: object) -> object:
    """Numbers as they are, what is undefined or unbounded empty, and no text that a spreadsheet would run."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
