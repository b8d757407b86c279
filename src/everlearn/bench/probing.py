"""A stream that all its arms have learnt in; a salt, the probes drawn from it and the base's abilities, fixed, out.

What is fixed here is asked of every arm alike. The salt does not exist before the last arm has learnt or has failed,
and nobody learns the stream afterwards, so nobody can have trained on the probes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import load_file, save

from everlearn.bench.abilities import Abilities, abilities_of
from everlearn.bench.grid import SALT, Cell, Grid
from everlearn.bench.recording import Salt, StreamRecord, read_stream, this_process, write_stream, write_whole
from everlearn.bench.source import stream_of
from everlearn.bench.stream import Posed
from everlearn.bench.tiers import FIRST_DEV_SEED, tier
from everlearn.errors import StoreError
from everlearn.model.language_model import LanguageModel
from everlearn.records import encode, now
from everlearn.train.anchors import Anchors

GENERAL, NEW = "general.safetensors", "new.safetensors"
"""The base's replies to general questions and to probes of the stream."""


def draw(grid: Grid, seed: int, base: LanguageModel) -> None:
    """Draw the probes of a stream and fix what the base can do; the salt of an interrupted try is taken up again.

    Raises:
        StoreError: some arm has not learnt this stream yet.
    """
    probes = stream_of(grid, seed).probes(_salt(grid, seed))
    offered = tier(grid.request.tier).candidates().half(dev=seed >= FIRST_DEV_SEED)
    found = abilities_of(base, offered, probes, grid.request.per_skill)
    folder = grid.stream_path(seed)
    for name, anchors in ((GENERAL, found.general), (NEW, found.new)):
        if anchors.rows:
            write_whole(folder / name, save(anchors.tensors()))
    stages = stream_of(grid, seed).stages
    record = StreamRecord(
        seed=seed,
        salt=_salt(grid, seed),
        stages=len(stages),
        families={number: stage.family for number, stage in enumerate(stages, start=1)},
        parameters=base.parameters,
        probes=tuple(posed.asked for posed in (*probes, *found.questions)),
        reading_tokens={posed.asked.id: _tokens(base, posed.reading) for posed in probes if posed.reading},
        notes_tokens=_tokens(base, [note for stage in stages for note in stage.notes]),
    )
    write_stream(folder, record)


def drawn_probes(grid: Grid, seed: int) -> tuple[Posed, ...]:
    """The probes of a stream, as they were drawn.

    Raises:
        StoreError: they were not drawn yet.
    """
    return stream_of(grid, seed).probes(read_stream(grid.stream_path(seed)).salt)


def fixed_abilities(grid: Grid, seed: int) -> Abilities:
    """What the base could do, as it was fixed.

    Raises:
        StoreError: it was not fixed yet.
    """
    folder = grid.stream_path(seed)
    chosen = {asked.id for asked in read_stream(folder).probes if asked.axis == "general"}
    offered = tier(grid.request.tier).candidates()
    questions = tuple(posed for posed in offered.questions if posed.asked.id in chosen)
    return Abilities(questions, offered.texts, _anchors(folder / GENERAL), _anchors(folder / NEW))


def _salt(grid: Grid, seed: int) -> str:
    """The salt of a stream, drawn now if it has none.

    Raises:
        StoreError: some arm has not learnt this stream yet.
    """
    path = grid.stream_path(seed) / SALT
    if not path.is_file():
        cells = [Cell(arm.name, seed) for arm in grid.request.taught]
        missing = [cell for cell in cells if not grid.is_learnt(cell)]
        if open_still := [cell.arm for cell in missing if not grid.has_failed(cell)]:
            raise StoreError(f"stream {seed} has not been learnt by {', '.join(open_still)}", "learn it first")
        learnt = {cell.arm: grid.learnt_digest(cell) for cell in cells if cell not in missing}
        failed = tuple(cell.arm for cell in missing)
        write_whole(path, encode(Salt(secrets.token_hex(16), now(), this_process(), learnt, failed)))
    return grid.salt(seed).salt


def _tokens(base: LanguageModel, notes: Sequence[str]) -> int:
    """Tokens of notes that stand above a question."""
    return len(base.tokenizer.encode("\n".join((*notes, "")), add_special_tokens=False))


def _anchors(path: Path) -> Anchors:
    return Anchors.of(load_file(path)) if path.is_file() else Anchors((), ())
