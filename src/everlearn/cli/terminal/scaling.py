"""The words of `bench scale` in; its grids run one after another, and how each score grows with its things, out."""

from __future__ import annotations

import argparse
import contextlib
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from everlearn.cli import DONE, ERROR
from everlearn.cli.terminal.output import emit, say
from everlearn.cli.terminal.typed import add_warmup, counts, listed, positive, setting

if TYPE_CHECKING:
    from everlearn.bench.scaling import Rung


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What grows, who learns it, and where it goes."""
    parser.add_argument("--methods", metavar="A,B", type=listed, required=True, help="methods, files, or NAME=METHOD")
    parser.add_argument("--families", metavar="A,B", type=listed, required=True, help="kinds of world, each by itself")
    parser.add_argument(
        "--counts", metavar="N,M", type=counts, default=(), help="things taught (4,16,64,256; facts 10,100,1000,3000)"
    )
    parser.add_argument("--tier", default="lab", help="lab (default), smollm2, any or smoke")
    parser.add_argument("--model", metavar="NAME", default="", help="instead of the tier's: alias, directory or hub id")
    parser.add_argument("--streams", metavar="N", type=positive, default=5, help="how many streams (default: 5)")
    parser.add_argument("--jobs", metavar="N", type=positive, help="cells at once (default: 2, or the cores)")
    parser.add_argument("--folder", metavar="DIR", type=Path, help="where it is kept (default: scale-TIER)")
    parser.add_argument(
        "--set", metavar="ARM.KEY=VALUE", action="append", type=setting, default=[], help="a method's setting"
    )
    add_warmup(parser)
    parser.add_argument("--plan", action="store_true", help="say what it would take, and do nothing")
    parser.add_argument("--html", metavar="FILE", type=Path, help="write the whole report as one page")
    parser.add_argument("--csv", metavar="DIR", type=Path, help="write all tables as CSV files")


def run(arguments: argparse.Namespace) -> int:
    """Run all grids (what is finished is not run again) and show what came of them; 1 if a cell is not finished."""
    from everlearn.bench.launch import default_jobs
    from everlearn.bench.scaling import Ladder, notes_of, rungs_of

    ladder = Ladder(
        arguments.tier,
        arguments.methods,
        arguments.families,
        arguments.counts,
        arguments.streams,
        arguments.model,
        tuple(arguments.set),
        False if arguments.plan else arguments.warmup,  # it takes minutes, and what a cell takes is the same
    )
    rungs = rungs_of(ladder, arguments.folder or Path(f"scale-{arguments.tier}"))
    jobs = arguments.jobs or default_jobs()
    for note in notes_of(rungs):
        say(f"note: {note}")
    if arguments.plan:
        return _plan(arguments, rungs, jobs)
    _run_all(arguments, rungs, jobs)
    _show(arguments, rungs)
    finished = all(rung.grid.is_finished(cell) for rung in rungs for cell in rung.grid.cells())
    return DONE if finished else ERROR


def _plan(arguments: argparse.Namespace, rungs: Sequence[Rung], jobs: int) -> int:
    from everlearn.bench.forecast import forecast
    from everlearn.cli.terminal.growths import plan_page
    from everlearn.cli.terminal.running import say_changes

    for rung in rungs:
        say_changes(rung.grid, arguments.warmup)
    found = {rung.name: forecast(rung.grid, jobs) for rung in rungs}
    emit(arguments, found, lambda: plan_page(found, jobs))
    return DONE


def _run_all(arguments: argparse.Namespace, rungs: Sequence[Rung], jobs: int) -> None:
    """One grid after another, all folders made first: what another request holds is said before hours have passed."""
    from everlearn.bench.grid import open_grid
    from everlearn.bench.launch import alone
    from everlearn.cli.terminal.running import run_grid

    command = shlex.join(["everlearn", "bench", *arguments.words])
    with contextlib.ExitStack() as held:
        for rung in rungs:
            held.enter_context(alone(rung.grid.folder))
        opened = [open_grid(rung.grid.folder, rung.grid.request, command) for rung in rungs]
        for rung, one in zip(rungs, opened, strict=True):
            for note in one.notes:
                say(f"note: {rung.name}: {note}")
            run_grid(one.grid, jobs, name=rung.name)


def _show(arguments: argparse.Namespace, rungs: Sequence[Rung]) -> None:
    import shutil

    from everlearn.bench.growth import board_of_ladder, growths
    from everlearn.cli.terminal.growths import facts_of, page_of

    found = growths(rungs)
    board = board_of_ladder(rungs, found)
    if arguments.html:
        from everlearn.bench.report.page import write_page

        say(f"written: {write_page(board, arguments.html)}")
    if arguments.csv:
        from everlearn.bench.report.slopes import write_slopes
        from everlearn.bench.report.tables import write_csv

        for path in (*write_csv(board, arguments.csv), write_slopes(found, arguments.csv)):
            say(f"written: {path}")
    width = shutil.get_terminal_size().columns
    emit(arguments, facts_of(rungs, found, board.notes), lambda: page_of(rungs, found, board.notes, width))
