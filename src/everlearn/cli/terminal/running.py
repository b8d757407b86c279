"""A grid in; run with its standings on the terminal and what has failed said, or looked at before, out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from everlearn.cli.terminal.output import say
from everlearn.errors import SettingsError

if TYPE_CHECKING:
    from everlearn.bench.grid import Grid
    from everlearn.bench.launch import State


def run_grid(grid: Grid, jobs: int, ray: str = "", name: str = "") -> State:
    """Finish a grid as `launch` does and say what has failed.

    Args:
        name: which grid it is, where there are several.
    """
    from everlearn.bench.launch import launch
    from everlearn.cli.terminal.grid_plan import one_line
    from everlearn.cli.terminal.standings import live

    say(one_line(grid, jobs))
    try:
        with live(grid, jobs) as tell:
            state = launch(grid, jobs, ray, tell)
    except KeyboardInterrupt:
        raise KeyboardInterrupt("interrupted: the same command goes on, no finished cell is run again") from None
    say_failures(grid, name)
    if waiting := state.cells - state.finished - len(state.failed):
        say(f"{waiting} cells wait for these: run again")
    return state


def say_changes(grid: Grid, warmup: bool | None) -> None:
    """What a run would change of the request in a grid's folder, which was asked for without a warm-up; nothing is
    written.

    Args:
        warmup: whether a run would warm the model up; None for what the tier does.

    Raises:
        SettingsError: the folder holds another benchmark.
        StoreError: its `grid.json` is damaged.
    """
    from everlearn.bench.grid import GRID, changes, read_file
    from everlearn.bench.tiers import tier

    if not (grid.folder / GRID).is_file():
        return
    was, wanted = read_file(grid.folder).request, grid.request
    if tier(wanted.tier).warmup and (not wanted.stream if warmup is None else warmup):
        if was.warmup is None:
            raise SettingsError(f"{grid.folder} holds a benchmark without a warm-up", "go on with it: --no-warmup")
        if was.warmup.model_digest == wanted.model_digest:
            wanted = replace(wanted, model_digest=was.model_digest, warmup=was.warmup)
    for note in changes(grid.folder, was, wanted):
        say(f"note: {note}")


def say_failures(grid: Grid, name: str = "") -> None:
    """A line for each cell that this run has tried in vain, and what becomes of its arm."""
    from everlearn.bench.claims import failure_of

    shut_out = []
    for cell in grid.failed():
        failure = failure_of(grid, cell)
        hint = f" ({failure.hint})" if failure.hint else ""
        place = f"{name}, {cell.arm}" if name else cell.arm
        say(f"failed: {place}, stream {cell.seed}, {failure.doing}: {failure.problem}{hint}")
        if grid.has_salt(cell.seed) and not grid.is_learnt(cell):
            shut_out.append(cell.arm)
    for arm in dict.fromkeys(shut_out):
        say(f"the others go on without {arm}, which cannot learn those streams any more: leave it out of --methods")
