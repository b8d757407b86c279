"""A grid's folder in; cells learnt, or examined, one after another until there is nothing of that sort to do, out.

`python -m everlearn.bench.work FOLDER NAME PID` is one worker, which ends with the process PID that has started it.
Every cell starts from a model that is loaded anew.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
import traceback
from pathlib import Path

from everlearn.bench.arms import BASE, CONTEXT
from everlearn.bench.asking import Examiner
from everlearn.bench.claims import Doing, Job, fail, give_back, open_jobs, take
from everlearn.bench.grid import EXAMINED, Cell, Grid, read_grid
from everlearn.bench.learning import learn, method_for
from everlearn.bench.probing import draw, drawn_probes, fixed_abilities
from everlearn.bench.recording import (
    Examined,
    Failure,
    drop_weights,
    read_learning,
    read_trial,
    this_process,
    write_trial,
    write_whole,
)
from everlearn.bench.source import learnt_by, stream_of
from everlearn.desiderata.contract import Trial
from everlearn.errors import EverlearnError, StoreError
from everlearn.model.language_model import LanguageModel
from everlearn.records import encode, now

WAIT = 0.3
"""Seconds between looks for something to do."""


def work(folder: Path, name: str) -> None:
    """Take cells until nothing of the sort of the first one is left; the next sort is for another process."""
    grid = read_grid(folder)
    doing: Doing | None = None
    while True:
        job = take(grid, name, doing)
        if job:
            doing = job.doing
            perform(grid, job)
        elif doing or not any(open_jobs(grid)):
            return
        else:
            time.sleep(WAIT)


def perform(grid: Grid, job: Job) -> None:
    """Do what was claimed; whatever goes wrong is noted, and other cells go on."""
    try:
        {"learning": learn_cell, "examining": examine_cell}[job.doing](grid, job.cell)
    except Exception as error:  # noqa: BLE001  a method is anybody's code
        problem, hint = (error.problem, error.hint) if isinstance(error, EverlearnError) else (_said(error), "")
        fail(grid, job, Failure(job.doing, problem, hint, traceback.format_exc()))
    else:
        give_back(grid, job)


def learn_cell(grid: Grid, cell: Cell) -> None:
    """Learn one cell from its beginning; what an interrupted try has left is removed.

    Raises:
        StoreError: the probes of its stream are drawn: who learns now could know them.
    """
    if grid.has_salt(cell.seed):
        raise StoreError(
            f"the probes of stream {cell.seed} are drawn, who learns it now could know them",
            f"leave {cell.arm} out, or run it with all its rivals in a new folder: --folder NAME",
        )
    folder = grid.path(cell)
    shutil.rmtree(folder, ignore_errors=True)
    arm = grid.request.arm(cell.arm)
    model = LanguageModel.load(grid.request.model)
    stream = learnt_by(grid, cell.arm, cell.seed)
    learn(stream, cell.arm, arm.settings, model, folder, arm.method, grid.run_seed(cell.seed))


def examine_cell(grid: Grid, cell: Cell) -> None:
    """Ask one cell everything and remove its weights and memory; with the base, the probes are drawn."""
    begin = time.monotonic()
    folder = grid.path(cell)
    model = LanguageModel.load(grid.request.model)
    if cell.arm == BASE:
        draw(grid, cell.seed, model)
    stream, probes = stream_of(grid, cell.seed), drawn_probes(grid, cell.seed)
    examiner = Examiner(stream, probes, fixed_abilities(grid, cell.seed), model)
    trial = _trial(grid, cell, examiner)
    examined = Examined(this_process(), now(), round(time.monotonic() - begin, 2))
    write_whole(folder / EXAMINED, encode(examined))
    write_trial(folder, trial)
    drop_weights(folder)


def _trial(grid: Grid, cell: Cell, examiner: Examiner) -> Trial:
    if cell.arm == BASE:
        return examiner.base()
    if cell.arm == CONTEXT:
        return examiner.in_context()
    learning = read_learning(grid.path(cell))
    assert learning is not None, "a cell is examined when it has been learnt"
    if grid.request.plan.asked == "end":
        learning = learning.at_end()
    base = read_trial(grid.path(Cell(BASE, cell.seed))).last
    arm = grid.request.arm(cell.arm)
    method = method_for(examiner.stream, cell.arm, arm.settings, arm.method)
    return examiner.trial(learning, grid.path(cell), base, method)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def end_with(parent: int) -> None:
    """End this process when the one that started it is gone, before this call or after: a killed run leaves no workers
    behind."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WAIT)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    end_with(int(sys.argv[3]))
    work(Path(sys.argv[1]), sys.argv[2])
