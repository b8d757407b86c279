"""A grid in, the next cell to work on out: each is taken by one worker, and given back when it is done or has failed.

A cell is learnt by one process and examined by another. A stream is examined when each of its cells has been learnt, or
has failed in this run, its base first: that is when the probes are drawn. Where none was learnt, it waits for a better
run. Who holds a claim holds the kernel's lock of its file, which ends with the process.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from everlearn.bench.arms import BASE
from everlearn.bench.grid import FAILED, Cell, Grid
from everlearn.bench.recording import Failure, write_whole
from everlearn.records import decode, encode, now

Doing = Literal["learning", "examining"]

_held: dict[Path, int] = {}
"""The open files of this process's claims."""


class Job(NamedTuple):
    """Something to do in a cell."""

    doing: Doing
    cell: Cell


@dataclass(frozen=True)
class Claim:
    """Who is at work on a job."""

    doing: Doing
    arm: str
    seed: int
    worker: str
    """Its name among the workers of a run."""
    pid: int
    host: str
    since: str
    """ISO 8601."""

    @property
    def cell(self) -> Cell:
        """The cell that is worked on."""
        return Cell(self.arm, self.seed)


def open_jobs(grid: Grid) -> Iterator[Job]:
    """Everything that could be done now, in order, whether claimed or not. What has failed in this run is left alone,
    and so is what waits for it."""
    for seed in grid.request.seeds:
        cells = [Cell(arm.name, seed) for arm in grid.request.arms]
        unfinished = [cell for cell in cells if not grid.is_finished(cell)]
        unlearnt = [cell for cell in unfinished if not grid.is_learnt(cell)]
        learnable = [cell for cell in unlearnt if not grid.has_failed(cell)]
        base = Cell(BASE, seed)
        if learnable:
            waiting = [Job("learning", cell) for cell in learnable]
        elif unlearnt and len(unlearnt) == len(grid.request.taught) and not grid.has_salt(seed):
            waiting = []  # what makes all of them fail is no fault of theirs: no probes are drawn that shut them out
        elif base in unfinished:
            waiting = [Job("examining", base)]
        else:
            waiting = [Job("examining", cell) for cell in unfinished if cell not in unlearnt]
        yield from (job for job in waiting if not grid.has_failed(job.cell))


def take(grid: Grid, worker: str, before: Doing | None) -> Job | None:
    """Claim the first job that nobody works on; None where there is none now, or it is of another sort than `before`.

    A process that has learnt never examines, nor the other way round.
    """
    for job in open_jobs(grid):
        if _path(grid, job).exists():
            continue
        if before and job.doing != before:
            return None
        if _claim(grid, job, worker):
            if job in open_jobs(grid):
                return job
            give_back(grid, job)  # somebody has finished it between the two looks
    return None


def give_back(grid: Grid, job: Job) -> None:
    """End a claim."""
    path = _path(grid, job)
    path.unlink(missing_ok=True)
    if path in _held:
        os.close(_held.pop(path))


def is_free(grid: Grid) -> bool:
    """Whether there is something to do that nobody works on."""
    return any(not _path(grid, job).exists() for job in open_jobs(grid))


def claims(grid: Grid) -> list[Claim]:
    """Who is at work on what, the longest first."""
    found = []
    for path in grid.folder.glob("claims/*.json"):
        with contextlib.suppress(FileNotFoundError, ValueError):  # ended, or not written yet
            found.append(decode(Claim, path.read_bytes()))
    return sorted(found, key=lambda claim: claim.since)


def clear(grid: Grid) -> list[Claim]:
    """Forget what earlier runs have left: claims of processes that are gone, and failures, which are tried again; but
    who has failed to learn a stream whose probes are drawn stays failed.

    Returns claims whose process still lives; they stay.
    """
    for path in grid.folder.glob("claims/*.json"):
        if not _is_held(path):
            path.unlink(missing_ok=True)
    for cell in grid.failed():
        if grid.is_learnt(cell) or not grid.has_salt(cell.seed):
            (grid.path(cell) / FAILED).unlink(missing_ok=True)
    return claims(grid)


def fail(grid: Grid, job: Job, failure: Failure) -> None:
    """Note why a job was tried in vain, and end its claim."""
    write_whole(grid.path(job.cell) / FAILED, encode(failure))
    give_back(grid, job)


def failure_of(grid: Grid, cell: Cell) -> Failure:
    """Why a cell was tried in vain."""
    return decode(Failure, (grid.path(cell) / FAILED).read_bytes())


def _claim(grid: Grid, job: Job, worker: str) -> bool:
    """Whether nobody was quicker; the claim's file is then open and locked until it is given back."""
    path = _path(grid, job)
    path.parent.mkdir(parents=True, exist_ok=True)
    claim = Claim(job.doing, *job.cell, worker, os.getpid(), socket.gethostname(), now())
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    except FileExistsError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # a run that begins has found it before it was locked, and takes it for a dead one's
        os.close(descriptor)
        return False
    os.write(descriptor, encode(claim))
    _held[path] = descriptor
    return True


def _path(grid: Grid, job: Job) -> Path:
    return grid.folder / "claims" / f"{job.doing}-{job.cell.arm}-{job.cell.seed}.json"


def _is_held(path: Path) -> bool:
    """Whether the process that made a claim still lives: then its lock cannot be taken."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
