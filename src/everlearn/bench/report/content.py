"""Finished cells and facts about their run in, the record that a report is written from out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from everlearn.bench.agreement import Agreement
from everlearn.bench.arms import BASE, CONTEXT, JOINT, SOLO
from everlearn.bench.statistics import Verdict
from everlearn.desiderata.contract import Case, Trial

NOTHING = "nothing trained"
"""The label of a trial that changed no weight: it is compared with no other method."""


TOGETHER = "all stages at once"
"""The label of joint training under another name: a reference too."""


@dataclass(frozen=True)
class Facts:
    """How the benchmark was run; whatever is empty is left out of the page."""

    command: str = ""
    """As it was typed."""
    commit: str = ""
    """Of the program."""
    model: str = ""
    machine: str = ""
    boundaries: str = ""
    """`hint`: a method learnt one stage in one call; `none`: pieces cut without regard to stages."""
    started: str = ""
    """ISO 8601."""
    ended: str = ""
    answers: str = ""
    """sha256 of all recorded answers."""
    salts: Mapping[int, str] = field(default_factory=dict)
    """By stream: sha256 of the salt that its probes were drawn with, after training."""


@dataclass(frozen=True)
class Compared:
    """Two methods on the same streams."""

    a: str
    b: str
    verdicts: tuple[Verdict, ...]
    """A − B, one for each axis, corrected for there being several."""


@dataclass(frozen=True)
class Point:
    """One place of a scaling curve."""

    across: float
    """Above 0: the axis is logarithmic."""
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """How one score of one method changes with a size."""

    method: str
    score: str
    size: str
    """What grows, in words: `skills learnt`."""
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Beside:
    """How another grid, of another tier as a rule, ranks the same methods."""

    title: str
    """Of the other board."""
    model: str
    """That it was run on; may be empty."""
    arms: tuple[str, ...]
    """Methods that both have, those that trained something; references are left out."""
    agreements: tuple[Agreement, ...]
    """By score."""


@dataclass(frozen=True)
class Board:
    """Everything that the page and the tables say."""

    cases: tuple[Case, ...]
    """One for each method and stream. References among them are known by name; those that stand only beside other
    cases are found there."""
    title: str = "everlearn benchmark"
    facts: Facts = Facts()
    comparisons: tuple[Compared, ...] = ()
    curves: tuple[Curve, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader must know of all figures: families that are left out, cells that are missing."""
    beside: Beside | None = None


def reference_cases(cases: tuple[Case, ...]) -> tuple[Case, ...]:
    """The references that stand beside cases, as cases of their own, one for each stream.

    A reference of one moment counts as standing at the end of the stream; solo training is the only one of them with
    a moment for each stage. References that are cases already are not made again.
    """
    made: dict[tuple[str, int], Case] = {}
    present = {(case.trial.method, case.trial.stream) for case in cases}
    for case in cases:
        for trial in _beside(case):
            key = (trial.method, trial.stream)
            if key not in present and trial.moments:
                made.setdefault(key, replace(case, trial=trial))
    return tuple(made.values())


def _beside(case: Case) -> tuple[Trial, ...]:
    stream = case.trial.stream
    found = [Trial(BASE, stream, (replace(case.base, stage=case.stages),))]
    for name, trial in ((JOINT, case.joint), (CONTEXT, case.context)):
        if trial is not None and trial.moments:
            last = replace(trial.last, stage=case.stages, share=1.0)
            found.append(replace(trial, method=name, stream=stream, moments=(last,)))
    if case.solo is not None:
        found.append(replace(case.solo, method=SOLO, stream=stream))
    return tuple(found)
