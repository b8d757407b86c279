"""Compare methods on streams of stages; report what is proven."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from everlearn.cli import DONE, ERROR
from everlearn.cli.terminal import scaling
from everlearn.cli.terminal.output import emit, say
from everlearn.cli.terminal.typed import add_warmup, listed, positive, rates, setting

if TYPE_CHECKING:
    from everlearn.bench.grid import Grid
    from everlearn.bench.report.content import Board
    from everlearn.bench.request import Wish

TASKS = {
    "run": "learn and examine every cell of a grid; goes on where it was stopped",
    "report": "the leaderboard of a grid, as text, HTML or CSV; needs no model",
    "compare": "two methods of a grid, paired by stream and question",
    "tune": "choose each method's learning rate on streams that no grid has",
    "scale": "does it keep working as skills and facts become more?",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One parser for each task."""
    tasks = parser.add_subparsers(dest="task", metavar="TASK", required=True)
    for name, said in TASKS.items():
        task = tasks.add_parser(name, help=said, description=said)
        {
            "run": _run_arguments,
            "report": _report_arguments,
            "compare": _compare_arguments,
            "tune": _tune_arguments,
            "scale": scaling.add_arguments,
        }[name](task)
        for option in ("--json", "--traceback"):  # given here or before the task
            task.add_argument(option, action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Do one of the tasks; 1 if a cell has failed."""
    tasks = {"run": _run, "report": _report, "compare": _compare, "tune": _tune, "scale": scaling.run}
    return tasks[arguments.task](arguments)


# --- arguments ----------------------------------------------------------------------------------------------


def _shared_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tier", default="lab", help="lab (default), smollm2, any or smoke")
    parser.add_argument("--model", metavar="NAME", default="", help="instead of the tier's: alias, directory or hub id")
    parser.add_argument("--rounds", metavar="N", type=positive, default=0, help="lessons of each world, one a round")
    parser.add_argument("--families", metavar="A,B", type=listed, default=(), help="kinds of world, instead of all")
    parser.add_argument("--jobs", metavar="N", type=positive, help="cells at once (default: 2, or the cores)")
    add_warmup(parser)


def _run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--methods", metavar="A,B", type=listed, required=True, help="methods, files, or NAME=METHOD")
    parser.add_argument("--streams", metavar="N", type=positive, default=5, help="how many streams (default: 5)")
    parser.add_argument(
        "--from",
        metavar="SEED",
        dest="first_seed",
        type=positive,
        default=1,
        help="the first stream's seed (default: 1); from 9001 on they are dev streams, to choose settings by, with "
        "general questions of their own",
    )
    _shared_arguments(parser)
    parser.add_argument(
        "--references", action=argparse.BooleanOptionalAction, default=True, help="joint, solo and in-context too"
    )
    parser.add_argument("--ray", metavar="ADDRESS", default="", help="run on a Ray cluster; `local` starts one")
    parser.add_argument(
        "--boundaries", choices=("hint", "none"), default="hint", help="is a method told where a stage ends?"
    )
    parser.add_argument("--stream", metavar="DIR", type=Path, help="your own stages: a folder each, with questions")
    parser.add_argument("--study", metavar="A+B", default="", help="with --stream: how documents become examples")
    parser.add_argument("--folder", metavar="DIR", type=Path, help="where it is kept (default: bench-TIER)")
    parser.add_argument(
        "--set", metavar="ARM.KEY=VALUE", action="append", type=setting, default=[], help="a method's setting"
    )
    parser.add_argument("--secret", metavar="HEX", default="", help="an earlier grid's, to run it again (grid.json)")
    parser.add_argument("--plan", action="store_true", help="say what it would take, and do nothing")


def _report_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="a grid's folder")
    parser.add_argument("--html", metavar="FILE", type=Path, help="write the whole report as one page")
    parser.add_argument("--csv", metavar="DIR", type=Path, help="write all tables as CSV files")
    parser.add_argument("--beside", metavar="OTHER", type=Path, help="a grid that may rank the same methods otherwise")


def _compare_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="a grid's folder")
    parser.add_argument("a", metavar="A", help="a method of it")
    parser.add_argument("b", metavar="B", help="another one")


def _tune_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--methods", metavar="A,B", type=listed, required=True, help="which methods")
    parser.add_argument("--rates", metavar="X,Y", type=rates, default=(), help="learning rates, four at least")
    parser.add_argument("--streams", metavar="N", type=positive, default=2, help="dev streams (default: 2)")
    parser.add_argument(
        "--set",
        metavar="METHOD.KEY=VALUE",
        action="append",
        type=setting,
        default=[],
        help="a setting for all trials, put beside what the log has",
    )
    _shared_arguments(parser)
    parser.add_argument(
        "--folder", metavar="DIR", type=Path, help="where it is kept (default: tune-TIER, and what is set)"
    )
    parser.add_argument("--log", metavar="FILE", type=Path, help="default: docs/leaderboard/tuning-TIER.jsonl")
    parser.add_argument("--settings", metavar="DIR", type=Path, help="default: the package's own bench/settings")


# --- run ----------------------------------------------------------------------------------------------------


def _run(arguments: argparse.Namespace) -> int:
    from everlearn.bench.board import board_of
    from everlearn.bench.grid import Grid, open_grid
    from everlearn.bench.launch import alone, default_jobs
    from everlearn.bench.request import resolve
    from everlearn.cli.terminal.running import run_grid, say_changes

    folder = arguments.folder or Path(f"bench-{arguments.tier}")
    jobs = arguments.jobs or default_jobs()
    request = resolve(_wish(arguments))
    if arguments.plan:
        say_changes(Grid(folder, request), arguments.warmup)
        return _plan(arguments, Grid(folder, request), jobs)
    with alone(folder):
        opened = open_grid(folder, request, shlex.join(["everlearn", "bench", *arguments.words]), arguments.secret)
        for note in opened.notes:
            say(f"note: {note}")
        state = run_grid(opened.grid, jobs, arguments.ray)
    _leaderboard(arguments, folder, board_of(opened.grid, compared=False))
    say(f"everlearn bench report {folder} --html report.html   the whole report")
    return ERROR if state.failed or state.finished < state.cells else DONE


def _wish(arguments: argparse.Namespace) -> Wish:
    from everlearn.bench.request import Wish

    return Wish(
        tier=arguments.tier,
        methods=arguments.methods,
        streams=arguments.streams,
        first_seed=arguments.first_seed,
        references=arguments.references,
        boundaries=arguments.boundaries,
        model=arguments.model,
        rounds=arguments.rounds,
        families=arguments.families,
        stream=arguments.stream,
        study=arguments.study,
        settings=tuple(arguments.set),
        warmup=False if arguments.plan else arguments.warmup,  # it takes minutes, and what a cell takes is the same
    )


def _plan(arguments: argparse.Namespace, grid: Grid, jobs: int) -> int:
    """The estimate alone; a person's own documents are studied in a folder that is thrown away."""
    import tempfile
    from dataclasses import replace

    from everlearn.bench.forecast import forecast
    from everlearn.bench.source import study
    from everlearn.cli.terminal.grid_plan import page_of

    with tempfile.TemporaryDirectory() as scratch:
        counted = grid if grid.folder.is_dir() else replace(grid, folder=Path(scratch))
        if not grid.folder.is_dir():
            study(counted)
        found = forecast(counted, jobs)
    emit(arguments, found, lambda: page_of(found, jobs))
    return DONE


def _leaderboard(arguments: argparse.Namespace, folder: Path, board: Board) -> None:
    """The leaderboard of what is finished, and beside it what another grid says."""
    import shutil

    from rich.console import Group

    from everlearn.bench.report.scoring import installed, score
    from everlearn.cli.terminal.agreement import beside_page
    from everlearn.cli.terminal.leaderboard import facts_of, lines_of, page_of

    lines = lines_of(score(board, installed()))
    facts = {"folder": str(folder), **facts_of(board, lines)}
    width = shutil.get_terminal_size().columns
    below = ("", beside_page(board.beside)) if board.beside else ()
    emit(arguments, facts, lambda: Group(page_of(lines, board.notes, width), *below))


# --- report, compare, tune ----------------------------------------------------------------------------------


def _report(arguments: argparse.Namespace) -> int:
    from everlearn.bench.board import board_of
    from everlearn.bench.grid import read_grid
    from everlearn.bench.report.scoring import placed_beside

    grid = read_grid(arguments.folder)
    board = board_of(grid, compared=bool(arguments.html or arguments.csv))
    if arguments.beside:
        board = placed_beside(board, board_of(read_grid(arguments.beside), compared=False))
    if arguments.html:
        from everlearn.bench.report.page import write_page

        say(f"written: {write_page(board, arguments.html)}")
    if arguments.csv:
        from everlearn.bench.report.tables import write_csv

        for path in write_csv(board, arguments.csv):
            say(f"written: {path}")
    _leaderboard(arguments, grid.folder, board)
    return DONE


def _compare(arguments: argparse.Namespace) -> int:
    from rich.console import Group

    from everlearn.bench.board import chosen_board
    from everlearn.bench.contrast import contrast
    from everlearn.bench.grid import read_grid
    from everlearn.cli.terminal.leaderboard import verdict_facts, verdicts_page, wrapped

    a, b = arguments.a, arguments.b
    board = chosen_board(read_grid(arguments.folder), (a, b))
    verdicts = contrast(board.cases, a, b)
    facts = {"a": a, "b": b, "notes": board.notes, "verdicts": [verdict_facts(verdict) for verdict in verdicts]}
    notes = [f"note: {note}" for note in board.notes]
    emit(arguments, facts, lambda: Group(*wrapped(notes), verdicts_page(a, b, verdicts)))
    return DONE


def _tune(arguments: argparse.Namespace) -> int:
    from everlearn.bench.launch import alone, default_jobs
    from everlearn.bench.request import SETTINGS
    from everlearn.bench.tune import Campaign, campaign_grid, choose, keep, rates_of, tune
    from everlearn.cli.terminal.grid_plan import trials_page
    from everlearn.cli.terminal.running import say_failures
    from everlearn.cli.terminal.standings import live

    campaign = Campaign(
        tier=arguments.tier,
        methods=arguments.methods,
        rates=rates_of(arguments.tier, arguments.rates),
        streams=arguments.streams,
        model=arguments.model,
        families=arguments.families,
        rounds=arguments.rounds,
        warmup=arguments.warmup,
        settings=tuple(arguments.set),
    )
    set_now = [f"{key}={value}" for key, value in arguments.set]
    folder = arguments.folder or Path("-".join(["tune", arguments.tier, *set_now]).replace("/", "_"))
    jobs = arguments.jobs or default_jobs()
    with alone(folder):
        grid = campaign_grid(campaign, folder)
        try:
            with live(grid, jobs) as tell:
                found = tune(campaign, grid, jobs, tell)
        finally:
            say_failures(grid)
    log = arguments.log or Path("docs/leaderboard") / f"tuning-{arguments.tier}.jsonl"
    trials = choose(found, log)
    for path in keep(trials, log, arguments.settings or SETTINGS):
        say(f"written: {path}")
    emit(arguments, trials, lambda: trials_page(trials))
    return DONE
