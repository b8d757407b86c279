"""A grid and workers in, all its cells finished or failed out: on this machine, or on a Ray cluster.

The one who launches does no work: it starts workers, looks at the folder, and starts the next when one has ended. On a
cluster the folder (and the model, where it is a directory) must lie on storage that all machines share.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol

from everlearn.bench.claims import Claim, Job, claims, clear, fail, is_free
from everlearn.bench.forecast import require_disk
from everlearn.bench.grid import GRID, Cell, Grid, read_grid
from everlearn.bench.recording import Failure, drop_weights
from everlearn.bench.source import study
from everlearn.bench.work import WAIT, work
from everlearn.errors import EverlearnError, StoreError
from everlearn.resources import cores
from everlearn.store.lock import BusyError, WriteLock

CONNECT = 5.0
"""Seconds that a cluster's address has to answer."""

PATIENCE = 10.0
"""Seconds that workers of a killed run have to notice that it is gone."""


class Ended(NamedTuple):
    """A worker that has ended."""

    name: str
    trouble: str
    """What killed it; empty where it ended by itself."""


class Workers(Protocol):
    """Where workers run."""

    def start(self, name: str) -> None:
        """Start one."""

    def ended(self) -> list[Ended]:
        """Those that have ended since the last call."""

    def stop(self) -> None:
        """End all that are at work."""


@dataclass(frozen=True)
class State:
    """How far a grid has come."""

    cells: int
    learnt: int
    finished: int
    failed: tuple[Cell, ...]
    at_work: tuple[Claim, ...]


Watch = Callable[[State], None]


def launch(grid: Grid, jobs: int, ray: str, watch: Watch) -> State:
    """Finish all cells that are not finished, by so many workers at once; what fails is left for the next run.

    Args:
        ray: address of a Ray cluster; empty for this machine.

    Raises:
        StoreError: another run is at work in this folder, or its disk is too small.
        EverlearnError: Ray is not installed, or cannot be reached.
    """
    with alone(grid.folder):
        study(grid)
        require_disk(grid, jobs)
        threads = max(1, cores() // jobs)
        workers: Workers = OnRay(grid.folder, ray, jobs, threads) if ray else Here(grid.folder, threads)
        try:
            _run(grid, jobs, workers, watch)
        finally:
            workers.stop()
    return state_of(grid)


def state_of(grid: Grid) -> State:
    """How far a grid has come, by the files that are there."""
    cells = grid.cells()
    finished = [cell for cell in cells if grid.is_finished(cell)]
    learnt = [cell for cell in cells if grid.is_learnt(cell) or grid.is_finished(cell)]
    return State(len(cells), len(learnt), len(finished), tuple(grid.failed()), tuple(claims(grid)))


def default_jobs() -> int:
    """Two workers, where there are two cores."""
    return min(2, cores())


def _run(grid: Grid, jobs: int, workers: Workers, watch: Watch) -> None:
    running: set[str] = set()
    started = 0
    while running or is_free(grid):
        if len(running) < jobs and is_free(grid):
            started += 1
            name = f"{os.getpid()}-{started}"
            workers.start(name)
            running.add(name)
        for ended in workers.ended():
            running.discard(ended.name)
            if ended.trouble:
                _blame(grid, ended)
        watch(state_of(grid))
        time.sleep(WAIT)
    watch(state_of(grid))


def _blame(grid: Grid, ended: Ended) -> None:
    """What a worker was at when it was killed has failed.

    Raises:
        EverlearnError: it was killed before it had taken anything: the next one would be, too.
    """
    held = [claim for claim in claims(grid) if claim.worker == ended.name]
    if not held:
        raise EverlearnError(f"a worker could not begin: {ended.trouble}", f"see {grid.folder / 'logs'}")
    for claim in held:
        fail(grid, Job(claim.doing, claim.cell), Failure(claim.doing, ended.trouble))


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a grid's folder, which is made if need be, once the workers of an earlier run are gone. Held from before its
    request is written; entering it again does nothing but to look once more.

    Raises:
        StoreError: another run is at work in it, or it cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_lock(folder.resolve()).held())
        except BusyError as error:
            raise StoreError(f"{folder}: another run is at work in this folder", error.hint) from None
        if (folder / GRID).is_file():
            _tidy(read_grid(folder))
        yield


@functools.cache
def _lock(folder: Path) -> WriteLock:
    """One lock for each folder: who holds it may enter it again."""
    return WriteLock(folder / "lock")


def _tidy(grid: Grid) -> None:
    """Remove what earlier runs have left: claims, failures, and weights of cells that were examined.

    Raises:
        StoreError: a worker of theirs goes on.
    """
    until = time.monotonic() + PATIENCE
    while alive := clear(grid):
        if time.monotonic() > until:
            pids = ", ".join(str(claim.pid) for claim in alive)
            raise StoreError(f"{grid.folder}: process {pids} is still at work in it", "wait, or stop it")
        time.sleep(WAIT)
    for cell in grid.cells():
        if grid.is_finished(cell):
            drop_weights(grid.path(cell))


class Here:
    """Workers that are processes of this machine."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._folder = folder
        self._environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        self._at_work: dict[str, tuple[subprocess.Popen[bytes], IO[bytes]]] = {}

    def start(self, name: str) -> None:
        """Start one; what it says goes to a file of its own."""
        (self._folder / "logs").mkdir(exist_ok=True)
        log = (self._folder / "logs" / f"{name}.txt").open("wb")
        command = [sys.executable, "-m", "everlearn.bench.work", str(self._folder), name, str(os.getpid())]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment, start_new_session=True
        )
        self._at_work[name] = process, log

    def ended(self) -> list[Ended]:
        """Those that have ended since the last call."""
        found = []
        for name, (process, log) in list(self._at_work.items()):
            code = process.poll()
            if code is not None:
                log.close()
                del self._at_work[name]
                found.append(Ended(name, self._trouble(name, code)))
        return found

    def stop(self) -> None:
        """End all that are at work; what they have not finished is begun anew by the next run."""
        for process, log in self._at_work.values():
            process.kill()
            process.wait()
            log.close()
        self._at_work.clear()

    def _trouble(self, name: str, code: int) -> str:
        if code == 0:
            return ""
        if code < 0:
            return f"its process was killed by signal {-code}" + (" (out of memory?)" if code == -9 else "")
        said = (self._folder / "logs" / f"{name}.txt").read_text(encoding="utf-8", errors="replace").strip()
        return said.splitlines()[-1] if said else f"its process ended with code {code}"


class OnRay:
    """Workers that are tasks on a Ray cluster, each in a process of its own."""

    def __init__(self, folder: Path, address: str, jobs: int, threads: int) -> None:
        self._ray = _ray(address, jobs * threads)
        self._folder = folder.resolve()
        # a process that has learnt must not examine: none is used for a second task
        self._task = self._ray.remote(
            num_cpus=threads,
            max_calls=1,
            max_retries=0,
            runtime_env={"env_vars": {"OMP_NUM_THREADS": str(threads)}},
        )(work)
        self._at_work: dict[Any, str] = {}

    def start(self, name: str) -> None:
        """Hand one to the cluster."""
        self._at_work[self._task.remote(self._folder, name)] = name

    def ended(self) -> list[Ended]:
        """Those that have ended since the last call."""
        if not self._at_work:
            return []
        done, _ = self._ray.wait(list(self._at_work), num_returns=len(self._at_work), timeout=0)
        return [Ended(self._at_work.pop(task), self._trouble(task)) for task in done]

    def stop(self) -> None:
        """End all that are at work, and leave the cluster."""
        for task in self._at_work:
            self._ray.cancel(task, force=True)
        self._ray.shutdown()

    def _trouble(self, task: Any) -> str:
        try:
            self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            return str(error).strip().splitlines()[-1]
        return ""


def _ray(address: str, cpus: int) -> Any:
    """Ray, connected; address `local` starts a cluster of this machine alone.

    Raises:
        EverlearnError: it is not installed, or there is no cluster at the address.
    """
    try:
        import ray
    except ImportError:
        raise EverlearnError("--ray needs Ray, which is not installed", "pip install 'everlearn[ray]'") from None
    try:
        _knock(address)
        if address == "local":
            ray.init("local", num_cpus=cpus, include_dashboard=False, log_to_driver=False)
        else:
            ray.init(address, log_to_driver=False)
    except (OSError, ValueError, RuntimeError) as error:
        said = str(error).strip().splitlines()[0]
        raise EverlearnError(f"no Ray cluster at {address}: {said}", "give HOST:PORT, auto, or local") from None
    return ray


def _knock(address: str) -> None:
    """Ray itself tries for many minutes to reach a HOST:PORT where there is nothing.

    Raises:
        OSError: nobody answers there.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdecimal():
        socket.create_connection((host, int(port)), CONNECT).close()
