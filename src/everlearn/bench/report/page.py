"""A board in, one self-contained HTML page about how its methods compare out; needs no model and no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from everlearn.bench.arms import BASE, JOINT, REFERENCES, SOLO
from everlearn.bench.report import agreed, axes, columns, kinds
from everlearn.bench.report.charts import fading_panels, scaling_panels
from everlearn.bench.report.content import NOTHING, TOGETHER, Board
from everlearn.bench.report.matrix import fading, matrix_of, step_of
from everlearn.bench.report.recorded import pack
from everlearn.bench.report.scatter import Measure, scatter
from everlearn.bench.report.scoring import Row, installed, score
from everlearn.bench.statistics import LEAST_STREAMS, interval_over_streams
from everlearn.desiderata.contract import Desideratum
from everlearn.report import offline, words
from everlearn.report import page as version_report

HERE = Path(__file__).parent
LEADS = (("JNS", "comes closest to joint training"), ("rho", "loses least of the general skills"))
"""What the headline says of the method with the highest mean of a score."""


def write_page(board: Board, path: Path, desiderata: Mapping[str, Desideratum] | None = None) -> Path:
    """Write the report of a board; returns the path.

    The same board gives the same bytes. The page loads nothing, from the network or from other files.

    Args:
        board: the cases and what is known of their run.
        path: the file to write.
        desiderata: which scores to compute, by name; all that are installed where None.

    Raises:
        EverlearnError: the file cannot be written.
        PluginError: a desideratum is broken.
    """
    return offline.write(path, render(board, installed() if desiderata is None else desiderata))


def render(board: Board, desiderata: Mapping[str, Desideratum]) -> str:
    """The page as text."""
    environment = offline.templates(HERE)
    environment.globals |= {
        "words": words,
        "columns": columns,
        "agreed": agreed,
        "axes": kinds.AXES,
        "reference_names": REFERENCES,
    }
    environment.filters |= {"heat": step_of, "spaced": _spaced, "held": _held, "hundredths": _hundredths}
    style = offline.inside(version_report.HERE / "style.html") + offline.inside(HERE / "style.html")
    script = offline.inside(HERE / "script.html")
    return environment.get_template("page.html").render(
        _content(board, desiderata),
        style=Markup(style),
        script=Markup(script),
        style_hash=offline.csp_hash(style),
        script_hash=offline.csp_hash(script),
    )


def _content(board: Board, desiderata: Mapping[str, Desideratum]) -> dict[str, Any]:
    rows = score(board, desiderata)
    alone = [row for row in rows if row.method not in (SOLO, BASE, JOINT) and TOGETHER not in row.labels]
    matrices = [matrix for row in alone if (matrix := matrix_of(row))]
    plots = [plot for plot in _plots(rows) if plot]
    return {
        "board": board,
        "rows": rows,
        "methods": [row for row in rows if not row.reference],
        "references": [row for row in rows if row.reference],
        "streams": sorted({case.trial.stream for case in board.cases}),
        "stages": max((case.stages for case in board.cases), default=0),
        "headline": headline(rows),
        "leaderboard": columns.shown(columns.LEADERBOARD, rows),
        "profile": columns.shown(columns.PROFILE, rows),
        "matrices": matrices,
        "panels": fading_panels([fading(matrix) for matrix in matrices], REFERENCES),
        "orders": [row for row in rows if row.orders],
        "plots": plots,
        "crowded": any(not dot.named for plot in plots for dot in plot.dots),
        "scaling": scaling_panels(board.curves),
        "axis_kinds": kinds.by_axis(rows),
        "family_kinds": kinds.by_family(rows),
        "recorded": pack(rows),
        "desiderata": _tables(rows, desiderata),
    }


def headline(rows: Sequence[Row]) -> str:
    """What there is to say in one sentence: who came closest to joint training, and who kept most."""
    methods = [row for row in rows if not row.reference and NOTHING not in row.labels]
    streams = {case.trial.stream for row in methods for case in row.cases}
    if len(streams) < LEAST_STREAMS:
        counted = f"{len(methods)} method{'' if len(methods) == 1 else 's'}, read row by row"
        few = f"{len(streams)} stream{'' if len(streams) == 1 else 's'} cannot tell which is better"
        return f"{counted}: {few}" if len(methods) > 1 else counted
    leaders = [(_leader(methods, name), text) for name, text in LEADS]
    found = [(leader, text) for leader, text in leaders if leader]
    if not found:
        return f"{len(methods)} method{'' if len(methods) == 1 else 's'}, read row by row"
    if len(found) > 1 and len({leader for leader, _ in found}) == 1:  # in both, and ahead of the same one
        (name, rival), texts = found[0][0], " and ".join(text for _, text in found)
        said = [f"{name} {texts}{_hedge('neither', rival)}"]
    else:
        said = [f"{name} {text}{_hedge('not', rival)}" for (name, rival), text in found]
    sentence = " and ".join(said).replace("_", " ")
    return sentence[:1].upper() + sentence[1:]


def _hedge(word: str, rival: str) -> str:
    return f" ({word} clearly ahead of {rival})" if rival else ""


def _leader(methods: Sequence[Row], name: str) -> tuple[str, str] | None:
    """The method with the highest mean, and the next one where the lead is not sure; None for fewer than two means."""
    found = sorted((row for row in methods if row.mean(name) is not None), key=lambda row: -(row.mean(name) or 0.0))
    if len(found) < 2:
        return None
    return found[0].method, "" if _apart(found[0], found[1], name) else found[1].method


def _apart(one: Row, other: Row, name: str) -> bool:
    """Whether the interval of their difference, stream by stream, lies above 0."""
    first, second = one.scores[name].values, other.scores[name].values
    pairs = [(first.get(stream), second.get(stream)) for stream in first]
    spread = interval_over_streams([a - b for a, b in pairs if a is not None and b is not None])
    return spread is not None and spread.low > 0


def _plots(rows: Sequence[Row]) -> list[Any]:
    learning, kept = Measure("LA", "LA: right just after learning"), Measure("rho", "ρ: general skills kept")
    final, closeness = Measure("ACC", "ACC: right at the end"), Measure("JNS", "JNS: way from base to joint")
    cost = Measure("FLOPs", "FLOPs of learning", costs=True, label=axes.amount)
    space = Measure("bytes kept", "bytes kept", costs=True, label=lambda value: words.size(round(value)))
    return [
        scatter(rows, learning, kept),
        scatter(rows, learning, final),
        scatter(rows, cost, closeness),
        scatter(rows, space, closeness),
    ]


def _tables(rows: Sequence[Row], desiderata: Mapping[str, Desideratum]) -> list[dict[str, Any]]:
    """For every desideratum its question and the names of its scores."""
    found = []
    for name, desideratum in desiderata.items():
        names = dict.fromkeys(key for row in rows for key, scored in row.scores.items() if scored.desideratum == name)
        found.append({"name": name, "question": getattr(desideratum, "question", ""), "scores": tuple(names)})
    return found


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _held(value: float) -> float:
    """A share as a place on a bar of 100 units, held within it."""
    return round(100 * min(1.0, max(0.0, value)), 1)


def _hundredths(value: float) -> str:
    text = f"{100 * value:.0f}"
    return "0" if text == "-0" else text.replace("-", "−")
