"""What is to be compared in; a folder of cells that another request cannot get into, and their order, out."""

from __future__ import annotations

import hashlib
import json
import platform
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from everlearn.bench.arms import UNTAUGHT
from everlearn.bench.recording import Examined, Salt, cell_folder, is_finished, read_record, stream_folder, write_whole
from everlearn.bench.stream import Plan
from everlearn.errors import SettingsError, StoreError
from everlearn.records import decode, digest, encode, now
from everlearn.resources import cores

GRID = "grid.json"
SALT = "salt.json"
LEARNT = "learnt.json"
FAILED = "failed.json"
EXAMINED = "examined.json"

LAB_FOLDER = ("everlearn", "lab", "weights")
"""Where the model that ships with the package lies, wherever that is installed."""


@dataclass(frozen=True)
class Arm:
    """One line of the leaderboard: a method with its settings, or a reference."""

    name: str
    method: str
    """A plug-in's name or path; empty where nothing is learnt."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """All of them, defaults included: a default that changes makes another request."""
    source: str = ""
    """sha256 of the file, where the method is one: another text is another method."""


@dataclass(frozen=True)
class WarmUp:
    """How the model of a grid was made of another one: the same for all arms, before anything is learnt or asked."""

    model: str
    """The untouched model: alias, absolute directory or hub id."""
    model_digest: str
    recipe: str
    """Digest of the recipe, its rows included."""
    rows: int
    tokens: int
    """That went through training."""
    could: int
    """General questions that the untouched model surely answers, as many as were looked for."""
    can: int
    """Of them, those that it answers after the warm-up."""


@dataclass(frozen=True)
class Request:
    """Everything that decides what comes out of a grid."""

    version: str
    """Of everlearn."""
    tier: str
    model: str
    """Alias, absolute directory or hub id."""
    model_digest: str
    plan: Plan
    per_skill: int
    arms: tuple[Arm, ...]
    """The base first, then the other references, then methods: cells are learnt and examined in this order."""
    seeds: tuple[int, ...]
    boundaries: Literal["hint", "none"] = "hint"
    """Whether a method is called once for each stage, or for pieces of equal size cut without regard to stages."""
    stream: str = ""
    """A person's own folder of stages; empty for a generated stream."""
    stream_digest: str = ""
    """Of that folder's files."""
    study: str = ""
    """How its documents are studied."""
    warmup: WarmUp | None = None
    """How `model` came about, where it is a warmed-up one."""

    def arm(self, name: str) -> Arm:
        """The arm called `name`, which must be there."""
        return next(arm for arm in self.arms if arm.name == name)

    @property
    def base_in_words(self) -> str:
        """What `base` stands for, and what its warm-up has cost."""
        if self.warmup is None:
            ships = Path(self.model).parts[-3:] == LAB_FOLDER
            return f"{'the lab model' if ships else self.model} ({self.model_digest[:12]})"
        made, warm = f"{self.warmup.model} ({self.warmup.model_digest[:12]})", self.warmup
        return (
            f"{made}, warmed up on {warm.tokens:,} tokens of worlds of its own ({self.model_digest[:12]}): base means "
            f"the warmed-up model. Of {warm.could} general questions that the untouched one surely answers it still "
            f"answers {warm.can}"
        )

    @property
    def taught(self) -> tuple[Arm, ...]:
        """Arms that learn."""
        return tuple(arm for arm in self.arms if arm.name not in UNTAUGHT)


@dataclass(frozen=True)
class GridFile:
    """What `grid.json` holds."""

    digest: str
    request: Request
    command: str = ""
    """As it was typed when the folder was made, or its arms or streams were changed."""
    machine: str = ""
    begun: str = ""
    secret: str = ""
    """What random numbers of training are made from, with the stream's seed: drawn when the folder was made."""


class Cell(NamedTuple):
    """One arm on one stream."""

    arm: str
    seed: int


@dataclass(frozen=True)
class Grid:
    """A request and the folder where its cells are."""

    folder: Path
    request: Request
    secret: str = ""
    """As `GridFile.secret`."""

    def run_seed(self, seed: int) -> int:
        """What methods get for random numbers on a stream, below 2³¹: the same for all of them, and nothing by which
        the stream could be made again."""
        return int.from_bytes(hashlib.sha256(f"{self.secret} {seed}".encode()).digest()[:4], "big") >> 1

    def cells(self) -> list[Cell]:
        """All cells, stream by stream."""
        return [Cell(arm.name, seed) for seed in self.request.seeds for arm in self.request.arms]

    def path(self, cell: Cell) -> Path:
        """Where a cell's files are."""
        return cell_folder(self.folder, cell.arm, cell.seed)

    def stream_path(self, seed: int) -> Path:
        """Where a stream's files are."""
        return stream_folder(self.folder, seed)

    def is_finished(self, cell: Cell) -> bool:
        """Whether it has been examined to its end."""
        return is_finished(self.path(cell))

    def is_learnt(self, cell: Cell) -> bool:
        """Whether there is nothing left to learn in it."""
        return cell.arm in UNTAUGHT or (self.path(cell) / LEARNT).is_file()

    def learnt_digest(self, cell: Cell) -> str:
        """sha256 of `learnt.json` of a cell; empty where there is none."""
        path = self.path(cell) / LEARNT
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""

    def has_failed(self, cell: Cell) -> bool:
        """Whether this run has tried it in vain."""
        return (self.path(cell) / FAILED).is_file()

    def examined(self, cell: Cell) -> Examined:
        """Who examined a finished cell; a StoreError where the file is missing or damaged."""
        return read_record(Examined, self.path(cell) / EXAMINED)

    def salt(self, seed: int) -> Salt:
        """What the probes of a stream were drawn from; a StoreError where they were not yet, or the file is damaged."""
        return read_record(Salt, self.stream_path(seed) / SALT)

    def failed(self) -> list[Cell]:
        """The cells that this run has tried in vain."""
        return [cell for cell in self.cells() if self.has_failed(cell)]

    def has_salt(self, seed: int) -> bool:
        """Whether the probes of a stream have been drawn."""
        return (self.stream_path(seed) / SALT).is_file()


@dataclass(frozen=True)
class Opened:
    """A grid's folder, ready for work."""

    grid: Grid
    notes: tuple[str, ...]
    """What this call has changed of the request that the folder was made with."""


def open_grid(folder: Path, request: Request, command: str = "", secret: str = "") -> Opened:
    """Make the folder, or take it up again for the same request; further streams and fewer arms are taken too. Hold
    `launch.alone` around it and the launch: the request of a run that is at work must not change.

    Args:
        secret: that of an earlier grid, to train with the same random numbers; empty to draw one.

    Raises:
        SettingsError: the folder belongs to another request (the differing keys are named) or has another secret, or
            arms are added although probes have been drawn: what is learnt from now on might have seen them.
        StoreError: `grid.json` is damaged.
    """
    if not (folder / GRID).is_file():
        drawn = secret or secrets.token_hex(16)
        kept = GridFile(digest(request), request, command, _machine(), now(), drawn)
        write_whole(folder / GRID, encode(kept))
        return Opened(Grid(folder, request, drawn), ())
    kept = read_file(folder)
    if secret and secret != kept.secret:
        raise SettingsError(f"{folder} has another secret", "take a new folder: --folder NAME")
    grid = Grid(folder, request, kept.secret)
    if kept.digest == digest(request):
        return Opened(grid, ())
    notes = changes(folder, kept.request, request)
    command = command or kept.command
    write_whole(folder / GRID, encode(replace(kept, digest=digest(request), request=request, command=command)))
    return Opened(grid, notes)


def read_file(folder: Path) -> GridFile:
    """What a grid's folder was made for.

    Raises:
        StoreError: it is no grid's folder, or the file is damaged.
    """
    path = folder / GRID
    if not path.is_file():
        raise StoreError(
            f"{folder} holds no benchmark", f"begin one: everlearn bench run --methods anchored --folder {folder}"
        )
    try:
        return decode(GridFile, path.read_bytes())
    except ValueError as error:
        raise StoreError(f"{path} is damaged: {str(error).splitlines()[0]}", "take a new folder") from None


def read_grid(folder: Path) -> Grid:
    """The grid in a folder, as it was asked for last.

    Raises:
        StoreError: as `read_file`.
    """
    kept = read_file(folder)
    return Grid(folder, kept.request, kept.secret)


def changes(folder: Path, was: Request, wanted: Request) -> tuple[str, ...]:
    """What may be different between the request of a folder and another one, in words; nothing is written.

    Raises:
        SettingsError: something else is.
    """
    different = sorted(differing(was, wanted))
    if different:
        raise SettingsError(
            f"{folder} holds another benchmark: {', '.join(different)} differ",
            "ask for the same again, or take a new folder: --folder NAME",
        )
    before, after = ({arm.name for arm in request.arms} for request in (was, wanted))
    drawn = [seed for seed in was.seeds if Grid(folder, was).has_salt(seed)]
    if drawn and (added := sorted(after - before)):
        raise SettingsError(
            f"{', '.join(added)} cannot be added to {folder}: its probes are drawn, who learns now could know them",
            "run it with all its rivals in a new folder: --folder NAME",
        )
    named = {
        "added": sorted(after - before),
        "left out": sorted(before - after),
        "streams added": [str(seed) for seed in wanted.seeds if seed not in was.seeds],
    }
    return tuple(f"{what}: {', '.join(which)}" for what, which in named.items() if which)


def differing(was: Request, wanted: Request) -> Iterator[str]:
    """Keys whose values differ, arms that only one of them has and further streams left out."""
    one, other = (_flat(json.loads(encode(request))) for request in (was, wanted))
    arms = {arm.name for arm in was.arms} & {arm.name for arm in wanted.arms}
    for key in one.keys() | other.keys():
        of_one_arm = key.startswith("arms.") and key.split(".")[1] not in arms
        if one.get(key) != other.get(key) and key != "seeds" and not of_one_arm:
            yield key
    if not set(was.seeds) <= set(wanted.seeds):
        yield "seeds"


def _flat(request: dict[str, Any]) -> dict[str, Any]:
    """The request with a key of its own for each setting of each arm and each part of the plan. A model is told by its
    digest and a method's file by its text, wherever they lie."""
    arms, plan = request.pop("arms"), request.pop("plan")
    for named in (request, request["warmup"] or {}):
        named.pop("model", None)
    request |= {f"plan.{name}": value for name, value in plan.items()}
    for arm in arms:
        request[f"arms.{arm['name']}.method"] = arm["source"] or arm["method"]
        request |= {f"arms.{arm['name']}.{setting}": value for setting, value in arm["settings"].items()}
    return request


def _machine() -> str:
    """What a reader must know of this machine: the kind of system, cores, and the GPU if there is one."""
    import torch

    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{platform.system()} {platform.machine()}, {cores()} cores{gpu}"
