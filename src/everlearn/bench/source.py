"""A grid and a seed in, the stream that its arms learn out: generated, or a person's own stages studied once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from everlearn.bench.arms import USUAL, WRONG
from everlearn.bench.grid import Grid
from everlearn.bench.recording import write_whole
from everlearn.bench.stream import Plan, Posed, Stream, StreamStage, generate, without_boundaries
from everlearn.bench.user_stream import read_stream
from everlearn.errors import StoreError
from everlearn.model.language_model import LanguageModel
from everlearn.records import decode, encode

STAGES = "stages.json"
"""A person's stages as they were studied, so that every process learns the same."""

APART = 1000
"""Between the seed of a stream and that of the one which the wrong-stream arm learns instead, at least."""


@dataclass(frozen=True)
class OwnStages:
    """A person's stages, studied, and their questions."""

    stages: tuple[StreamStage, ...]
    posed: tuple[Posed, ...]


def stream_of(grid: Grid, seed: int) -> Stream:
    """The stream of a seed, with the stages as they were made.

    Raises:
        StoreError: a person's own stages have not been studied yet, or the file is damaged.
    """
    if not grid.request.stream:
        return generate(grid.request.plan, seed)
    path = grid.folder / STAGES
    try:
        own = decode(OwnStages, path.read_bytes())
    except (FileNotFoundError, ValueError):
        raise StoreError(
            f"{path} is missing or damaged", "remove it and run again: the documents are studied anew"
        ) from None
    return Stream(seed, own.stages, lambda salt: own.posed)


def learnt_by(grid: Grid, arm: str, seed: int) -> Stream:
    """The stream as an arm gets it: of another seed for the wrong-stream arm; without boundaries where that was asked
    for, except by references, whose stages are what scores are scaled by."""
    stream = stream_of(grid, seed + apart(grid.request.plan) if arm == WRONG else seed)
    if grid.request.boundaries == "none" and arm not in USUAL:
        stream = without_boundaries(stream)
    return replace(stream, seed=seed)


def apart(plan: Plan) -> int:
    """Between the seed of a stream and that of a wrong one: APART or a little more, a multiple of the number of
    families, so that both have the same families in the same order and differ in their worlds alone."""
    families = max(1, len(plan.families))
    return -(-APART // families) * families


def study(grid: Grid) -> None:
    """Study a person's own documents, once; nothing happens for a generated stream.

    Raises:
        DataError: a stage has nothing to learn from or no questions, or a file is unreadable.
    """
    request = grid.request
    if not request.stream or (grid.folder / STAGES).is_file():
        return
    own = read_stream(Path(request.stream), LanguageModel.load(request.model), request.study)
    write_whole(grid.folder / STAGES, encode(OwnStages(own.stages, own.probes(""))))


def digest_of(folder: Path) -> str:
    """sha256 over the names and contents of all files in a folder."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        total.update(f"{path.relative_to(folder)}:{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()
