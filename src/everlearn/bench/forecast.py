"""A grid in; how many cells, rows and tokens it comes to and about how long it will take, out, before anything is run.

Tokens of training are counted on the streams as they will be; questions on probes that are drawn from a salt of their
own, which no grid uses. The time is that of cells which are finished already, or else of a forward pass just measured.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from everlearn.bench.arms import JOINT, SOLO, UNTAUGHT, phases, role_of
from everlearn.bench.grid import Arm, Grid
from everlearn.bench.learning import WITHIN, method_for, watched_stages
from everlearn.bench.recording import read_learning
from everlearn.bench.source import learnt_by, stream_of
from everlearn.bench.stream import Stream
from everlearn.errors import StoreError
from everlearn.estimate import BACKWARD, exam_tokens, forward_speed, size_of, work_of
from everlearn.methods.contract import Mixture
from everlearn.model.cache import model_directory
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example

SALT = "forecast"
"""Probes are drawn from it for counting alone."""

DELTA = 2
"""Bytes of each weight that a cell keeps for each moment until its stream has been examined."""


@dataclass(frozen=True)
class ArmForecast:
    """What one arm takes on one stream."""

    arm: str
    trained: int
    """Tokens that go forward and backward, with as many of a memory as a method says that it replays."""
    asked: int
    """Tokens of all its exams."""
    seconds: float
    measured: bool
    """Whether the seconds are those of finished cells."""


@dataclass(frozen=True)
class Forecast:
    """What a grid takes, roughly."""

    cells: int
    open_cells: int
    """Of them, those that are not finished."""
    streams: int
    stages: int
    rows: int
    """Training rows of one stream."""
    probes: int
    """Of one stream."""
    arms: tuple[ArmForecast, ...]
    seconds: float
    """Of all open cells, by so many workers at once."""
    disk: int
    """Bytes of weights that lie there at most, until a stream has been examined."""


def forecast(grid: Grid, jobs: int) -> Forecast:
    """Count one stream, and measure the model's speed where no cell of an arm is finished.

    Raises:
        EverlearnError: the model cannot be loaded, or a person's own stages were not studied.
    """
    stream = stream_of(grid, grid.request.seeds[0])
    model = LanguageModel.load(grid.request.model)
    asked = exam_tokens(model.chat, [posed.question for posed in stream.probes(SALT)])
    examples = [example for stage in stream.stages for example in stage.examples]
    speed = forward_speed(model, examples)
    arms = tuple(_of_arm(grid, arm, asked, model, speed) for arm in grid.request.arms)
    open_cells = [cell for cell in grid.cells() if not grid.is_finished(cell)]
    seconds = {one.arm: one.seconds for one in arms}
    return Forecast(
        cells=len(grid.cells()),
        open_cells=len(open_cells),
        streams=len(grid.request.seeds),
        stages=len(stream.stages),
        rows=len(examples),
        probes=len(stream.probes(SALT)),
        arms=arms,
        seconds=sum(seconds[cell.arm] for cell in open_cells) / jobs,
        disk=weights_kept(grid, stream, jobs),
    )


def weights_kept(grid: Grid, stream: Stream, jobs: int) -> int:
    """Bytes of weights that lie in a grid's folder at most: those of a stream stay until it has been examined, and
    workers that find nothing to learn in it go on to the next ones."""
    folder = model_directory(grid.request.model)
    one = sum(_kept(arm, stream, folder) for arm in grid.request.taught)
    still = {cell.seed for cell in grid.cells() if not grid.is_finished(cell)}
    return one * min(len(still), 1 + jobs // max(1, len(grid.request.taught)))


def require_disk(grid: Grid, jobs: int) -> None:
    """Refuse a grid whose weights will not fit on its disk: half-way the arms that fail would be lost for the stream.

    Raises:
        StoreError: less is free than `weights_kept`, of which some may lie there already.
    """
    needed = weights_kept(grid, stream_of(grid, grid.request.seeds[0]), jobs)
    there = sum(path.stat().st_size for path in grid.folder.glob("cells/*/*/weights-*.safetensors"))
    free = shutil.disk_usage(grid.folder).free + there
    if needed > free:
        raise StoreError(
            f"{grid.folder}: weights will take up to {needed / 1e9:.3g} GB, {free / 1e9:.3g} GB are free",
            "take a --folder on a larger disk, or name fewer methods at a time; fewer --jobs may do, too",
        )


def _of_arm(grid: Grid, arm: Arm, asked: int, model: LanguageModel, speed: float) -> ArmForecast:
    stream = learnt_by(grid, arm.name, grid.request.seeds[0])
    trained = _trained(arm, stream, model)
    exams = asked * _moments(arm, stream)
    known = seconds_of(grid).get(arm.name)
    expected = (BACKWARD * trained + exams) / speed
    return ArmForecast(arm.name, trained, exams, expected if known is None else known, known is not None)


def seconds_of(grid: Grid) -> Mapping[str, float]:
    """Mean seconds of the finished cells of each arm, learning and exam together."""
    learning, exams = _means(_learning_seconds(grid)), _means(_exam_seconds(grid))
    return {arm: seconds + learning.get(arm, 0.0) for arm, seconds in exams.items()}


def seconds_left(grid: Grid, jobs: int) -> float | None:
    """About how long the open cells will take, by those that are finished; of a cell that is learnt the exam alone.
    None before there are any."""
    learning, exams = _means(_learning_seconds(grid)), _means(_exam_seconds(grid))
    if not exams:
        return None
    usual_learning, usual_exam = fmean(learning.values()) if learning else 0.0, fmean(exams.values())
    left = 0.0
    for cell in grid.cells():
        if not grid.is_finished(cell):
            left += exams.get(cell.arm, usual_exam)
            if cell.arm not in UNTAUGHT and not grid.is_learnt(cell):
                left += learning.get(cell.arm, usual_learning)
    return left / jobs


def _learning_seconds(grid: Grid) -> Mapping[str, list[float]]:
    """Of all cells that are learnt, by arm."""
    found: dict[str, list[float]] = {}
    for cell in grid.cells():
        if (grid.is_learnt(cell) or grid.is_finished(cell)) and (learning := read_learning(grid.path(cell))):
            found.setdefault(cell.arm, []).append(learning.seconds)
    return found


def _exam_seconds(grid: Grid) -> Mapping[str, list[float]]:
    """Of all cells that are finished, by arm."""
    found: dict[str, list[float]] = {}
    for cell in grid.cells():
        if grid.is_finished(cell):
            found.setdefault(cell.arm, []).append(grid.examined(cell).seconds)
    return found


def _means(seconds: Mapping[str, list[float]]) -> dict[str, float]:
    return {arm: fmean(each) for arm, each in seconds.items()}


def _trained(arm: Arm, stream: Stream, model: LanguageModel) -> int:
    """Tokens that go through training, by the method's own plan of passes; earlier rows are taken to be as long as
    those of the stage before."""
    if arm.name in UNTAUGHT:
        return 0
    method = method_for(stream, arm.name, arm.settings, arm.method)
    per_step = getattr(method, "old_per_step", 0)
    before: tuple[Example, ...] = ()
    mixtures = []
    for phase in phases(role_of(arm.name, arm.method), stream):
        mixtures.append(Mixture(phase.examples, () if phase.afresh else before, per_step))
        before = phase.examples
    return sum(work_of(method, mixture, model.chat, 0).trained for mixture in mixtures)


def _kept(arm: Arm, stream: Stream, folder: Path) -> int:
    """Bytes of the weights that one cell keeps."""
    method = method_for(stream, arm.name, arm.settings, arm.method)
    return DELTA * size_of(folder, method).changing * _moments(arm, stream)


def _moments(arm: Arm, stream: Stream) -> int:
    """How often an arm is asked, the base once for all."""
    role = role_of(arm.name, arm.method)
    if role in (*UNTAUGHT, JOINT) or stream.asked == "end":
        return 1
    return (
        stream.count if role == SOLO or stream.ends else stream.count + len(watched_stages(stream.count)) * len(WITHIN)
    )
