"""A grid that is being run in; its leaderboard as it stands, moving on a terminal, or a line for each change, out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import fmean
from typing import TYPE_CHECKING, Any

from everlearn.bench.arms import REFERENCES
from everlearn.bench.report.columns import figure
from everlearn.cli.terminal.leaderboard import LEGEND, TELLING, empty_table, wrapped
from everlearn.cli.terminal.output import say
from everlearn.report.words import duration, for_terminal

if TYPE_CHECKING:
    from rich.table import Table

    from everlearn.bench.claims import Claim
    from everlearn.bench.grid import Grid
    from everlearn.bench.launch import State

SCORED = ("composition", "preservation", "sequence")
"""Desiderata that are computed while it runs."""


class Standings:
    """The leaderboard of a grid that is being run: only streams in which something was finished are scored anew."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._finished: dict[int, int] = {}
        self._scores: dict[int, Mapping[str, Mapping[str, float | None]]] = {}

    def refresh(self) -> bool:
        """Score what has changed; returns whether anything has."""
        changed = False
        for seed in self._grid.request.seeds:
            count = sum(self._grid.is_finished(cell) for cell in self._grid.cells() if cell.seed == seed)
            if count != self._finished.get(seed, 0):
                self._finished[seed] = count
                self._scores[seed] = self._scored(seed)
                changed = True
        return changed

    def table(self) -> Table:
        """Means over the streams so far; an arm without any is there all the same."""
        table = empty_table([column.title for column in TELLING])
        names = [arm.name for arm in self._grid.request.arms]
        ordered = sorted(names, key=lambda name: name in REFERENCES)
        for name in ordered:
            found = [scores[name] for scores in self._scores.values() if name in scores]
            cells = [self._mean(found, column.score) for column in TELLING]
            table.add_row(name, *cells, f"{len(found)}", style="dim" if name in REFERENCES else "")
        return table

    def _scored(self, seed: int) -> Mapping[str, Mapping[str, float | None]]:
        from everlearn import plugins
        from everlearn.bench.board import stream_cases
        from everlearn.bench.report.content import Board
        from everlearn.bench.report.scoring import score
        from everlearn.desiderata.contract import Desideratum

        chosen = {name: plugins.find("desiderata", name, Desideratum)() for name in SCORED}
        rows = score(Board(tuple(stream_cases(self._grid, seed))), chosen)
        return {row.method: {name: row.mean(name) for name in row.scores} for row in rows}

    def _mean(self, found: Sequence[Mapping[str, float | None]], name: str) -> str:
        known = [value for scores in found if (value := scores.get(name)) is not None]
        return for_terminal(figure(fmean(known))) if known else "·"


@contextmanager
def live(grid: Grid, jobs: int) -> Iterator[Callable[[State], None]]:
    """Something to tell a grid's state to: a leaderboard that moves on a terminal, else a line for each change."""
    if not sys.stderr.isatty():
        yield PlainLines(grid, jobs).tell
        return
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, markup=False, highlight=False)
    with Live(console=console, refresh_per_second=4, transient=True) as shown:
        yield LiveTable(grid, jobs, shown).tell


class LiveTable:
    """The leaderboard so far, with what is being done below it."""

    def __init__(self, grid: Grid, jobs: int, shown: Any) -> None:
        self._standings = Standings(grid)
        self._clock = _Clock(grid, jobs)
        self._shown = shown

    def tell(self, state: State) -> None:
        """Show the state."""
        from rich.console import Group

        self._standings.refresh()
        said = [_progress(state, self._clock.left(state)), *map(_at_work, state.at_work)]
        self._shown.update(Group(self._standings.table(), "", *wrapped([LEGEND, *said])))


class PlainLines:
    """A line whenever a cell has been learnt or finished, or has failed."""

    def __init__(self, grid: Grid, jobs: int) -> None:
        self._clock = _Clock(grid, jobs)
        self._told = (0, 0, 0)

    def tell(self, state: State) -> None:
        """Write the line if there is something new."""
        now = (state.learnt, state.finished, len(state.failed))
        if now != self._told:
            self._told = now
            say(_progress(state, self._clock.left(state)))


class _Clock:
    """The time that is left, reckoned anew when a cell has been finished."""

    def __init__(self, grid: Grid, jobs: int) -> None:
        self._grid, self._jobs = grid, jobs
        self._finished = -1
        self._left: float | None = None

    def left(self, state: State) -> float | None:
        from everlearn.bench.forecast import seconds_left

        if state.finished != self._finished:
            self._finished = state.finished
            self._left = seconds_left(self._grid, self._jobs)
        return self._left


def _progress(state: State, seconds: float | None) -> str:
    """`17 of 80 cells finished, 24 learnt, about 12 min left`."""
    parts = [f"{state.finished} of {state.cells} cells finished, {state.learnt} learnt"]
    if state.failed:
        parts.append(f"{len(state.failed)} failed")
    if seconds and state.finished < state.cells:
        parts.append(f"about {for_terminal(duration(seconds))} left")
    return ", ".join(parts)


def _at_work(claim: Claim) -> str:
    return f"{claim.doing} {claim.arm}, stream {claim.seed}"
