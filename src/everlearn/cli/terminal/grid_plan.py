"""What a grid will take, or what tuning has found, in; pages for people out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from everlearn.bench.report.columns import figure
from everlearn.cli.terminal.output import columns, pairs
from everlearn.data.places import counted
from everlearn.report.words import duration, for_terminal, size

if TYPE_CHECKING:
    from rich.console import RenderableType

    from everlearn.bench.forecast import Forecast
    from everlearn.bench.grid import Grid
    from everlearn.bench.tune import Trial


def page_of(found: Forecast, jobs: int) -> RenderableType:
    """The estimate for people."""
    from rich.console import Group

    table = columns("arm, one stream", "trained tokens", "asked tokens", "time", "measured", numbers=4)
    for arm in found.arms:
        cells = (f"{arm.trained:,}", f"{arm.asked:,}", duration(arm.seconds), "yes" if arm.measured else "estimate")
        table.add_row(arm.arm, *map(for_terminal, cells))
    return Group(
        pairs(
            ("grid", f"{counted(found.cells, 'cell')}, {found.open_cells:,} of them not finished"),
            ("stream", f"{counted(found.stages, 'stage')}, {found.rows:,} training rows, {found.probes:,} probes"),
            ("time", f"about {duration(found.seconds)} with {counted(jobs, 'worker')}"),
            ("disk", f"up to {size(found.disk)} of weights, until a stream has been examined"),
            ("", "nothing was trained and nothing was stored"),
        ),
        "",
        table,
    )


def one_line(grid: Grid, jobs: int) -> str:
    """What is about to be run, in a line."""
    cells = grid.cells()
    finished = sum(grid.is_finished(cell) for cell in cells)
    streams = counted(len(grid.request.seeds), "stream")
    already = f", {finished:,} finished already" if finished else ""
    said = f"{counted(len(cells), 'cell')}: {counted(len(grid.request.arms), 'arm')} × {streams}{already}"
    return f"{said}; {counted(jobs, 'worker')}; in {grid.folder}"


def trials_page(trials: Sequence[Trial]) -> RenderableType:
    """What tuning has found."""
    table = columns("method", "set", "learning rate", "ACC", "ρ", "criterion", "", numbers=5)
    for trial in trials:
        known = [figure(value) if value is not None else "·" for value in (trial.acc, trial.rho, trial.criterion)]
        mark = "chosen, at the edge" if trial.at_edge else "chosen" if trial.chosen else ""
        others = ", ".join(f"{key} {value}" for key, value in trial.settings.items())
        table.add_row(*map(for_terminal, (trial.method, others, f"{trial.learning_rate:g}", *known)), mark)
    return table
