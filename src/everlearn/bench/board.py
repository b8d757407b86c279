"""A grid's folder in; its finished cells as cases with their references, and all that a report says of them, out.

Needs no model: everything is read from what was recorded.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from everlearn.bench.arms import BASE, CONTEXT, JOINT, LEARNER, REFERENCES, SOLO, USUAL, role_of
from everlearn.bench.contrast import contrast
from everlearn.bench.grid import Arm, Cell, Grid, read_file
from everlearn.bench.recording import read_stream, read_trial
from everlearn.bench.report.content import TOGETHER, Board, Compared, Facts
from everlearn.desiderata.composition import composing
from everlearn.desiderata.contract import Asked, Case, Trial, above_chance, share_right
from everlearn.errors import SettingsError
from everlearn.settings import nearest

LEAST_GAIN = 0.2
"""What joint training must add to the base, above chance, for a family to tell methods apart."""

ALL_PAIRS = 5
"""Methods up to which every two are compared."""

LEAST_COMPOSITIONS = 10
"""Probes of one sort of composition, over all streams, by which it is told whether joint training does it."""

LEAST_JOINT = 0.8
"""Share of its atoms that joint training must know at the end."""


@dataclass(frozen=True)
class Validity:
    """Whether a family tells anything on this model."""

    family: str
    base: float
    """Mean over streams of (right − chance) / (1 − chance) on atoms, of the untouched base."""
    joint: float
    """The same after joint training."""
    right: float
    """Share of atoms right after joint training, chance not taken off."""

    @property
    def valid(self) -> bool:
        """Whether it does."""
        return self.joint - self.base >= LEAST_GAIN and self.right >= LEAST_JOINT

    @property
    def note(self) -> str:
        """Why it does not."""
        return (
            f"{self.family}: joint training lifts its atoms from {self.base:.2f} to {self.joint:.2f} above chance and "
            f"knows {self.right:.2f} of them; {LEAST_GAIN} more and {LEAST_JOINT} are wanted"
        )


def cases_of(grid: Grid) -> tuple[Case, ...]:
    """A case for every finished cell of a method, with the references that are finished; where a stream has no such
    cell yet, one for its base."""
    return tuple(case for seed in grid.request.seeds for case in stream_cases(grid, seed))


def stream_cases(grid: Grid, seed: int) -> list[Case]:
    """The cases of one stream; none before its base has been examined."""
    if not grid.is_finished(Cell(BASE, seed)):
        return []
    record = read_stream(grid.stream_path(seed))
    found = {name: _trial(grid, Cell(name, seed)) for name in (BASE, JOINT, SOLO, CONTEXT)}
    base = found[BASE]
    assert base is not None, "it is finished"
    own = [_labelled(grid, arm, seed) for arm in grid.request.arms if arm.name not in USUAL]
    trials = [trial for trial in own if trial] or [replace(base, moments=(replace(base.last, stage=record.stages),))]
    return [
        Case(
            trial=trial,
            probes=record.probes,
            stages=record.stages,
            parameters=record.parameters,
            base=base.last,
            joint=found[JOINT],
            solo=found[SOLO],
            context=found[CONTEXT],
            families=record.families,
            reading_tokens=record.reading_tokens,
        )
        for trial in trials
    ]


def board_of(grid: Grid, compared: bool = True) -> Board:
    """Everything that a report says of a grid. Families that tell nothing are left out, and it says so.

    Args:
        grid: a grid of which something is finished.
        compared: whether methods are compared, where there are several streams; takes seconds.
    """
    cases = cases_of(grid)
    notes = [*_missing(grid), *_learnt_late(grid)]
    dropped = [found for found in validity(cases) if not found.valid]
    if dropped and _gated(grid, dropped, cases):
        cases = tuple(without({found.family for found in dropped}, case) for case in cases)
        notes += [f"left out of all scores: {found.note}" for found in dropped]
    else:
        notes += [f"tells little: {found.note}" for found in dropped]
    able = composing(cases, LEAST_COMPOSITIONS)
    cases = tuple(replace(case, composing=able) for case in cases)
    several = len({case.trial.stream for case in cases}) > 1
    pairs = _pairs(grid, cases) if compared and several else []
    return Board(
        cases=cases,
        title=f"everlearn benchmark, tier {grid.request.tier}",
        facts=_facts(grid),
        comparisons=tuple(Compared(a, b, contrast(cases, a, b)) for a, b in pairs),
        notes=tuple(notes),
    )


def validity(cases: Sequence[Case]) -> list[Validity]:
    """By family, over the streams that have a joint reference, once each; general abilities are no family."""
    streams = {case.trial.stream: case for case in cases if case.joint}
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for case in streams.values():
        for family in dict.fromkeys(case.families.values()):
            atoms = [asked for asked in case.probes if asked.axis == "atom" and _taught_in(asked, case, family)]
            figures = _of_references(case, atoms)
            if figures:
                found[family].append(figures)
    return [
        Validity(family, *(sum(column) / len(rows) for column in zip(*rows, strict=True)))
        for family, rows in sorted(found.items())
    ]


def without(families: set[str], case: Case) -> Case:
    """The case without the probes of some families."""
    kept = [asked for asked in case.probes if not any(_taught_in(asked, case, family) for family in families)]
    return replace(case, probes=tuple(kept))


def chosen_board(grid: Grid, names: Sequence[str]) -> Board:
    """The board of a grid, after checking that the named methods are on it.

    Raises:
        SettingsError: one of them is a reference, has no finished cell, or is named twice.
    """
    if len(set(names)) < len(names):
        raise SettingsError(f"{names[0]} against itself is no comparison", "name two methods")
    board = board_of(grid, compared=False)
    there = sorted({case.trial.method for case in board.cases} - set(USUAL))
    for name in names:
        if name in USUAL:
            raise SettingsError(f"{name} is a reference, and methods are compared", "see the bars of the report")
        if name not in there:
            hint = nearest(name, there) if there else "run the grid to its end"
            raise SettingsError(f"no stream of {name!r} is finished in {grid.folder}", hint)
    return board


def _taught_in(asked: Asked, case: Case, family: str) -> bool:
    return bool(asked.stages) and case.families.get(asked.stage) == family


def _of_references(case: Case, atoms: Sequence[Asked]) -> tuple[float, float, float] | None:
    assert case.joint is not None
    last = case.joint.last
    base, joint, right = above_chance(case.base, atoms), above_chance(last, atoms), share_right(last, atoms)
    return None if base is None or joint is None or right is None else (base, joint, right)


def _gated(grid: Grid, dropped: Sequence[Validity], cases: Sequence[Case]) -> bool:
    """Whether families are left out: not of a person's own stages, not to show that it works, never all of them."""
    families = {family for case in cases for family in case.families.values()}
    return not grid.request.stream and grid.request.tier != "smoke" and len(dropped) < len(families)


def _missing(grid: Grid) -> list[str]:
    """What a grid has not finished: arms that lack as many streams in one sentence."""
    counts: dict[str, int] = defaultdict(int)
    for cell in grid.cells():
        counts[cell.arm] += not grid.is_finished(cell)
    lacking: dict[int, list[str]] = defaultdict(list)
    for arm, count in counts.items():
        lacking[count].append(arm)
    return [
        f"{count} of {len(grid.request.seeds)} streams not finished: {', '.join(arms)}"
        for count, arms in sorted(lacking.items())
        if count
    ]


def _learnt_late(grid: Grid) -> list[str]:
    """Cells that are not those after which the probes were drawn."""
    found = []
    for seed in grid.request.seeds:
        was = grid.salt(seed).learnt if grid.has_salt(seed) else {}
        for arm in grid.request.taught:
            cell = Cell(arm.name, seed)
            if grid.is_finished(cell) and grid.learnt_digest(cell) != was.get(arm.name):
                found.append(
                    f"{arm.name}, stream {seed}: not what had been learnt when the probes were drawn, so that it could "
                    "have known them"
                )
    return found


def _pairs(grid: Grid, cases: Sequence[Case]) -> list[tuple[str, str]]:
    """Every two methods; where these would be many, each with the one that the others are held against."""
    there = {case.trial.method for case in cases}
    arms = [arm for arm in grid.request.arms if arm.name not in REFERENCES and arm.method != JOINT]
    names = [arm.name for arm in arms if arm.name in there]
    if len(names) <= ALL_PAIRS:
        return [(a, b) for place, b in enumerate(names) for a in names[place + 1 :]]
    against = LEARNER if LEARNER in names else names[0] if names else ""
    return [(name, against) for name in names if name != against]


def _labelled(grid: Grid, arm: Arm, seed: int) -> Trial | None:
    """A method's trial, marked where it is joint training under another name."""
    trial = _trial(grid, Cell(arm.name, seed))
    together = trial and arm.name != JOINT and role_of(arm.name, arm.method) == JOINT
    return replace(trial, labels=(*trial.labels, TOGETHER)) if trial and together else trial


def _trial(grid: Grid, cell: Cell) -> Trial | None:
    return read_trial(grid.path(cell)) if grid.is_finished(cell) else None


def _facts(grid: Grid) -> Facts:
    file = read_file(grid.folder)
    answers = hashlib.sha256()
    ended = []
    for cell in grid.cells():
        if grid.is_finished(cell):
            answers.update((grid.path(cell) / "answers.jsonl").read_bytes())
            ended.append(grid.examined(cell).ended)
    salts = {
        seed: hashlib.sha256(grid.salt(seed).salt.encode()).hexdigest()
        for seed in grid.request.seeds
        if grid.has_salt(seed)
    }
    return Facts(
        command=file.command,
        commit=f"everlearn {grid.request.version}",
        model=grid.request.base_in_words,
        machine=file.machine,
        boundaries=grid.request.boundaries,
        started=file.begun,
        ended=max(ended, default=""),
        answers=answers.hexdigest() if ended else "",
        salts=salts,
    )
