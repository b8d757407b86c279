"""What a score must be: everything recorded about one method on one stream in, named figures out.

Replies are recorded by whoever asks (`bench`), as lines of JSON; nothing here loads a model.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, NamedTuple

from everlearn.records import Cost


@dataclass(frozen=True)
class Asked:
    """One probe as it stands in a stream: stages, not lessons. General questions have axis `general` and no stage."""

    id: str
    """Digest of the probe: equal for all methods on a stream."""
    family: str
    kind: str
    axis: str
    """One of `streams.contract.Axis`, or `general`."""
    stages: tuple[int, ...]
    """The stages (1-based) that taught its operands, in order, each once; empty for a general question."""
    key: str
    chance: float
    atoms: tuple[str, ...] = ()
    explicit: bool = False
    cue: str = ""
    prompt: str = ""
    gold: str = ""
    """The canonical reply, also where a check grades: what scores and reports hold replies against. A person's own
    graded question has none: there it is the check's argument."""
    rivals: tuple[str, ...] = ()
    """Wrong replies that other things taught in the stream would call for here."""
    between: str = ""
    """Of something changed twice, A to B and back to A: the reply while it was B."""

    @property
    def stage(self) -> int:
        """The stage after which it can be answered; 0 for a general question."""
        return max(self.stages, default=0)


@dataclass(frozen=True)
class Reply:
    """What was answered to one probe at one moment."""

    probe: str
    correct: bool
    """Teacher-forced exact match, or the check of a greedily generated reply."""
    nll: float
    """Mean negative log-likelihood of the right answer, nats per token; 0 where a check grades."""
    chosen: bool | None = None
    """Whether the right option was the most likely of four; None where this was not asked."""
    text: str = ""
    error: str = ""


@dataclass(frozen=True)
class Moment:
    """A model at one point of a stream, and everything that was asked of it."""

    stage: int
    """Stages begun so far; 0 is the untouched base. In a solo trial: the one stage learnt."""
    share: float = 1.0
    """Share of that stage's steps done; below 1 at the few points within a stage."""
    replies: tuple[Reply, ...] = ()
    """To all probes of the stream, also of stages yet to come, at whole stages; at points within a stage to the probes
    of stages up to this one."""
    text_nll: float | None = None
    """Of held-out general text, nats per byte."""
    kl_general: float | None = None
    """KL(base ‖ model) on texts that the base wrote, nats per token."""
    kl_new: float | None = None
    """KL(base ‖ model) on the base's replies to the stream's probes, nats per token."""
    next_nll: float | None = None
    """Of the training rows of the stage to come, nats per byte."""
    cost: Cost = field(default_factory=Cost)
    """Of learning this one stage."""
    bytes_kept: int = 0
    """Bytes that the method keeps besides the base's weights, weights delta included."""
    prompt_tokens: float = 0.0
    """Tokens that the method puts into a question of the stream (`Method.prompt`), mean over those asked."""

    @functools.cached_property
    def by_probe(self) -> Mapping[str, Reply]:
        """Replies by probe."""
        return {reply.probe: reply for reply in self.replies}


@dataclass(frozen=True)
class Trial:
    """One method on one stream."""

    method: str
    stream: int
    """Seed of the stream."""
    moments: tuple[Moment, ...]
    settings: Mapping[str, object] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    """What a reader must know: `full replay`, `nothing trained`, …"""

    def after(self, stage: int) -> Moment | None:
        """The moment at the end of a stage, or None where nothing was asked then."""
        return next((m for m in self.moments if m.stage == stage and m.share == 1.0), None)

    @property
    def last(self) -> Moment:
        """The moment at the end."""
        return self.moments[-1]


class Sort(NamedTuple):
    """A sort of composition probes."""

    family: str
    explicit: bool
    """Whether the bridge is part of the reply."""
    across: bool
    """Whether the operands are of several stages."""


@dataclass(frozen=True)
class Case:
    """One method on one stream, with the references on the same stream that there are."""

    trial: Trial
    probes: tuple[Asked, ...]
    stages: int
    parameters: int
    """Of the model; for FLOPs."""
    base: Moment
    """The untouched base."""
    joint: Trial | None = None
    """All stages at once; the last moment counts."""
    solo: Trial | None = None
    """For each stage a moment: the base after that stage alone."""
    context: Trial | None = None
    """The base with the notes that suffice in its context; one moment."""
    families: Mapping[int, str] = field(default_factory=dict)
    """The family of each stage (1-based)."""
    reading_tokens: Mapping[str, int] = field(default_factory=dict)
    """By probe: tokens of the notes that the in-context reference reads."""
    composing: frozenset[Sort] | None = None
    """The sorts of composition that joint training can do, told by all streams together; None to tell by this one."""

    def chosen(self, wanted: Callable[[Asked], bool]) -> list[Asked]:
        """The probes that `wanted` holds for."""
        return [probe for probe in self.probes if wanted(probe)]


@dataclass(frozen=True)
class Score:
    """One figure."""

    name: str
    """Unique over all desiderata, as it stands in tables: `ACC`, `forgetting`, `rho`."""
    value: float | None
    """None where it is undefined; `note` says why."""
    better: Literal["higher", "lower", ""] = "higher"
    unit: str = ""
    note: str = ""


class Desideratum:
    """One of the essay's demands or open questions; the file name is its name."""

    question: ClassVar[str]
    """What it asks, in plain words, for the reader of a report."""

    def scores(self, case: Case) -> tuple[Score, ...]:
        """The figures of one method on one stream; the same names, in the same order, for every case."""
        raise NotImplementedError


def share_right(moment: Moment, probes: Iterable[Asked]) -> float | None:
    """Share of these probes answered right; None where none was asked."""
    marks = [moment.by_probe[probe.id].correct for probe in probes if probe.id in moment.by_probe]
    return sum(marks) / len(marks) if marks else None


def above_chance(moment: Moment, probes: Iterable[Asked]) -> float | None:
    """Mean of (right − chance) / (1 − chance): 0 for a guesser, 1 for everything right; None where none was asked."""
    marks = [
        (moment.by_probe[probe.id].correct - probe.chance) / (1 - probe.chance)
        for probe in probes
        if probe.id in moment.by_probe
    ]
    return sum(marks) / len(marks) if marks else None


def figure(
    name: str,
    value: float | None,
    why: str,
    better: Literal["higher", "lower", ""] = "higher",
    unit: str = "",
    note: str = "",
) -> Score:
    """A score with `note`; where `value` is None, with `why` it is undefined instead."""
    return Score(name, value, better, unit, why if value is None else note)


def mean(values: Iterable[float | None]) -> float | None:
    """Mean of the values that there are; None where there are none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def harmonic_mean(parts: Sequence[float | None]) -> float | None:
    """Harmonic mean of parts held within [0, 1]: 0 where any is 0, whatever the rest; None where one is unknown."""
    held = [None if part is None else min(1.0, max(0.0, part)) for part in parts]
    if 0.0 in held:
        return 0.0
    known = [part for part in held if part is not None]
    return len(known) / sum(1 / part for part in known) if known and len(known) == len(held) else None


def slope(points: Sequence[tuple[float, float]]) -> float | None:
    """Least-squares slope of the second on the first; None for fewer than two different first values."""
    if len({x for x, _ in points}) < 2:
        return None
    middle = sum(x for x, _ in points) / len(points)
    height = sum(y for _, y in points) / len(points)
    return sum((x - middle) * (y - height) for x, y in points) / sum((x - middle) ** 2 for x, _ in points)
