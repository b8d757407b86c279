"""What happens in a grid's folder: files in, requests, salts, learnt moments and recorded replies out, and back.

grid.json                     what was asked for, with the digest that forbids mixing two requests
stages.json                   a person's own stages, studied; only where there are such
claims/                       who is at work on which cell
logs/                         what the workers said
streams/SEED/salt.json        drawn when every cell of the stream has been learnt, or has failed
streams/SEED/probes.jsonl     the probes drawn from it
streams/SEED/*.safetensors    replies of the base, from which KL is measured
cells/ARM/SEED/learnt.json    costs of each stage; weights lie beside it until they have been examined
cells/ARM/SEED/memory-*/      what a method that changes questions kept by then, likewise
cells/ARM/SEED/answers.jsonl  one line for each reply
cells/ARM/SEED/examined.json  which process asked, when, and for how long
cells/ARM/SEED/trial.json     everything but the replies; written last: a cell with it is finished
cells/ARM/SEED/failed.json    why the last run has tried it in vain
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from everlearn.desiderata.contract import Asked, Reply, Trial
from everlearn.errors import StoreError
from everlearn.records import Cost, decode, encode

Record = TypeVar("Record")


@dataclass(frozen=True)
class Learnt:
    """What learning one stage, or a part of it, left."""

    stage: int
    share: float
    weights: str
    """File of the weights that changed; empty where none did."""
    cost: Cost
    bytes_kept: int
    memory_bytes: int
    """Of what the method keeps besides weights."""
    memory: str = ""
    """Folder of what it kept by then, where it changes what is asked; empty where it does not, or kept nothing yet."""


@dataclass(frozen=True)
class Learning:
    """A cell that was learnt and waits to be examined."""

    arm: str
    seed: int
    settings: Mapping[str, Any]
    adaptation: tuple[str, int, str]
    """As `model.Adaptation`."""
    moments: tuple[Learnt, ...]
    labels: tuple[str, ...] = ()
    process: str = ""
    """Which process learnt it: the machine's name and the process's id there."""
    seconds: float = 0.0
    run_seed: int = 0
    """What the method was given for random numbers."""

    def at_end(self) -> Learning:
        """The same with its last moment alone, at the cost of learning everything up to it."""
        total = total_of([learnt.cost for learnt in self.moments if learnt.share == 1.0])
        return replace(self, moments=tuple(replace(learnt, cost=total) for learnt in self.moments[-1:]))


@dataclass(frozen=True)
class Salt:
    """What the probes of a stream are drawn from."""

    salt: str
    drawn: str
    """When; ISO 8601."""
    process: str
    """By which process."""
    learnt: Mapping[str, str]
    """By arm: sha256 of its `learnt.json`, all of which were there by then."""
    failed: tuple[str, ...] = ()
    """Arms that had tried in vain to learn the stream: they cannot learn it any more."""


@dataclass(frozen=True)
class Examined:
    """Who examined a cell."""

    process: str
    ended: str
    """ISO 8601."""
    seconds: float


@dataclass(frozen=True)
class Failure:
    """Why a cell was tried in vain."""

    doing: str
    problem: str
    hint: str = ""
    trace: str = ""


@dataclass(frozen=True)
class StreamRecord:
    """The probes of one stream as they were drawn, and what stands beside them."""

    seed: int
    salt: str
    stages: int
    families: Mapping[int, str]
    parameters: int
    probes: tuple[Asked, ...]
    reading_tokens: Mapping[str, int] = field(default_factory=dict)
    notes_tokens: int = 0
    """Of the notes of all stages together: what a prompt would hold that has everything in it."""


def total_of(costs: Sequence[Cost]) -> Cost:
    """What several runs have cost together; of their memory the most that one of them took."""
    tokens: Counter[str] = Counter()
    for cost in costs:
        tokens.update(cost.tokens)
    return Cost(
        dict(tokens),
        sum(cost.flops for cost in costs),
        round(sum(cost.seconds for cost in costs), 2),
        max((cost.peak_memory for cost in costs), default=0),
        sum(cost.bytes_kept for cost in costs),
    )


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.new")
    scratch.write_bytes(data)
    scratch.replace(path)


def write_learning(folder: Path, learning: Learning) -> None:
    """Keep what was learnt in a cell."""
    write_whole(folder / "learnt.json", encode(learning))


def read_learning(folder: Path) -> Learning | None:
    """What was learnt in a cell; None where it has not been learnt to its end."""
    path = folder / "learnt.json"
    return decode(Learning, path.read_bytes()) if path.is_file() else None


def write_stream(folder: Path, record: StreamRecord) -> None:
    """Keep the probes of a stream: one a line, after a line with the rest."""
    lines = [encode(replace(record, probes=())), *(encode(probe) for probe in record.probes)]
    write_whole(folder / "probes.jsonl", b"\n".join(lines) + b"\n")


def read_stream(folder: Path) -> StreamRecord:
    """The probes of a stream.

    Raises:
        StoreError: they were not drawn yet, or the file is damaged.
    """
    path = folder / "probes.jsonl"
    if not path.is_file():
        raise StoreError(f"{path} is not there: no cell of this stream was examined", "run the grid to its end")
    try:
        first, *rest = path.read_bytes().splitlines()
        return replace(decode(StreamRecord, first), probes=tuple(decode(Asked, line) for line in rest))
    except ValueError as error:
        raise StoreError(
            f"{path} is damaged: {str(error).splitlines()[0]}", "take a new folder: --folder NAME"
        ) from None


def write_trial(folder: Path, trial: Trial) -> None:
    """Keep a finished cell: first its replies, then the rest, which says that it is finished."""
    lines = [
        json.dumps({"moment": number, **json.loads(encode(reply))}, ensure_ascii=False, separators=(",", ":"))
        for number, moment in enumerate(trial.moments)
        for reply in moment.replies
    ]
    write_whole(folder / "answers.jsonl", "".join(f"{line}\n" for line in lines).encode())
    bare = replace(trial, moments=tuple(replace(moment, replies=()) for moment in trial.moments))
    write_whole(folder / "trial.json", encode(bare))


def is_finished(folder: Path) -> bool:
    """Whether a cell has been examined to its end."""
    return (folder / "trial.json").is_file()


def read_trial(folder: Path) -> Trial:
    """A finished cell with all its replies.

    Raises:
        StoreError: it is not finished, or a file is damaged.
    """
    try:
        bare = decode(Trial, (folder / "trial.json").read_bytes())
        replies: dict[int, list[Reply]] = defaultdict(list)
        for line in (folder / "answers.jsonl").read_bytes().splitlines():
            fields = json.loads(line)
            replies[fields.pop("moment")].append(Reply(**fields))
    except FileNotFoundError as error:
        raise StoreError(
            f"{error.filename} is not there: the cell is not finished", "run the grid to its end"
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        said = f"an answer without {error}" if isinstance(error, KeyError) else str(error).splitlines()[0]
        # what is learnt anew after the probes were drawn would be no evidence
        raise StoreError(f"{folder} is damaged: {said}", "take a new folder: --folder NAME") from None
    moments = [replace(moment, replies=tuple(replies[number])) for number, moment in enumerate(bare.moments)]
    return replace(bare, moments=tuple(moments))


def read_record(kind: type[Record], path: Path) -> Record:
    """A record that a file holds.

    Raises:
        StoreError: it is not there, or damaged.
    """
    try:
        return decode(kind, path.read_bytes())
    except FileNotFoundError:
        raise StoreError(f"{path} is not there", "run the grid to its end") from None
    except ValueError as error:
        raise StoreError(
            f"{path} is damaged: {str(error).splitlines()[0]}", "take a new folder: --folder NAME"
        ) from None


def drop_weights(folder: Path) -> None:
    """Remove what a cell that has been examined needs no longer: its weights, and what a method kept beside them."""
    for weights in folder.glob("*.safetensors"):
        weights.unlink()
    for memory in folder.glob("memory-*"):
        shutil.rmtree(memory)


def this_process() -> str:
    """The machine's name and this process's id there."""
    return f"{socket.gethostname()}:{os.getpid()}"


def cell_folder(grid: Path, arm: str, seed: int) -> Path:
    """Where a cell's files are."""
    return grid / "cells" / arm / str(seed)


def stream_folder(grid: Path, seed: int) -> Path:
    """Where a stream's files are."""
    return grid / "streams" / str(seed)
