"""Marks of two methods on the same probes in, their difference with an interval, and a verdict in plain words, out.

The stream is the unit: its probes share a world, an order and a model, so that more probes of few streams prove little.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from everlearn.bench.student import student, student_tail
from everlearn.desiderata.contract import Asked, Case

RESAMPLES = 10_000
CHUNK = 1 << 22
"""Random numbers drawn at once, about."""
EXACT = 16
"""Streams up to which every flip of signs is tried."""
LEAST_STREAMS = 5
"""Streams without which there is no verdict, and p is not below what flipping signs could give: a variance told by so
few of them may be small by luck."""
LEVEL, POWER = 0.05, 0.8

A_BETTER, B_BETTER, UNDECIDED = "A is better", "B is better", "not enough evidence"

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mark:
    """One probe answered by one method."""

    stream: int
    key: str
    """The thing asked about; probes of one thing stand or fall together."""
    probe: str
    value: float
    """(right − chance) / (1 − chance), or any figure of which more is better."""


@dataclass(frozen=True)
class Interval:
    """A mean over streams with its 95 % interval."""

    value: float
    low: float
    high: float
    streams: int


@dataclass(frozen=True)
class Verdict:
    """A − B on one axis."""

    axis: str
    difference: float
    """Mean over streams, of the mean over things, of the mean over probes, of A − B."""
    low: float
    """Lower end of the 95 % interval, for this axis alone; −∞ for fewer than two streams."""
    high: float
    p: float
    """Two-sided, for this axis alone; 1 for fewer than two streams."""
    adjusted: float
    """`p` after Holm's correction for all axes that were judged together."""
    flipped: float
    """p of the sign-flip test over streams, which assumes no distribution; at best 2 / 2^streams."""
    bootstrapped: float
    """p by the error of a hierarchical bootstrap, which is too large rather than too small."""
    detectable: float
    """Difference that so many streams would have shown with 80 % power."""
    streams: int
    probes: int
    words: str
    """A_BETTER, B_BETTER or UNDECIDED."""


def marks(case: Case, wanted: Callable[[Asked], bool]) -> tuple[Mark, ...]:
    """Chance-corrected marks at the end of a trial, of the probes that `wanted` holds for."""
    replies = case.trial.last.by_probe
    return tuple(
        Mark(
            case.trial.stream,
            f"{asked.family} {asked.key}",
            asked.id,
            (replies[asked.id].correct - asked.chance) / (1 - asked.chance),
        )
        for asked in case.chosen(wanted)
        if asked.id in replies
    )


def compare(axis: str, a: Sequence[Mark], b: Sequence[Mark], seed: int = 0, resamples: int = RESAMPLES) -> Verdict:
    """A − B, paired by stream and probe; what only one of them was asked is left out.

    Interval and p are Student's, paired, the streams being the sample: their differences have all noise in them, of
    streams, things and probes. The standard error is `least_error` at least. Beside it stands the p of a hierarchical
    bootstrap (streams, their things, their probes). The verdict is for this axis alone; `judge` corrects several.
    """
    other = {(mark.stream, mark.probe): mark.value for mark in b}
    pairs = [mark for mark in a if (mark.stream, mark.probe) in other]
    paired = [dataclasses.replace(mark, value=mark.value - other[mark.stream, mark.probe]) for mark in pairs]
    streams = _by_stream(paired)
    if not streams:
        return Verdict(axis, 0.0, -math.inf, math.inf, 1.0, 1.0, 1.0, 1.0, math.inf, 0, 0, UNDECIDED)
    per_stream = [_mean_of(things) for things in streams]
    difference, count = float(np.mean(per_stream)), len(streams)
    least = least_error(paired)
    error = max(float(np.std(per_stream, ddof=1)) / math.sqrt(count), least) if count > 1 else math.inf
    by_bootstrap = max(standard_error(paired, seed, resamples), least)
    half = student(1 - LEVEL / 2, count - 1) * error if count > 1 else math.inf
    p = _two_sided(difference, error, count)
    found = Verdict(
        axis,
        difference,
        difference - half,
        difference + half,
        p,
        p,
        sign_flip(per_stream, seed),
        _two_sided(difference, by_bootstrap, count),
        detectable(error, count),
        count,
        len(paired),
        UNDECIDED,
    )
    return _worded(found)


def judge(verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The same verdicts, corrected for there being several."""
    adjusted = holm([verdict.p for verdict in verdicts])
    return tuple(_worded(dataclasses.replace(v, adjusted=p)) for v, p in zip(verdicts, adjusted, strict=True))


def interval_over_streams(values: Sequence[float]) -> Interval | None:
    """Mean and 95 % interval of a score with one value for each stream (Student's t); None without a value."""
    count = len(values)
    if count < 2:
        return Interval(values[0], -math.inf, math.inf, 1) if values else None
    value = float(np.mean(values))
    half = student(1 - LEVEL / 2, count - 1) * float(np.std(values, ddof=1)) / math.sqrt(count)
    return Interval(value, value - half, value + half, count)


def standard_error(found: Sequence[Mark], seed: int = 0, resamples: int = RESAMPLES) -> float:
    """Of the mean over streams, by hierarchical bootstrap; 0 without marks.

    A bootstrap over S streams sees (S − 1) / S of the variance between them: that is put back (Hesterberg 2015,
    1411.5279). The noise of things and probes is counted twice, in the means of the streams and in their resamples: of
    equal methods it tells fewer than 1 % apart where 5 % are meant.
    """
    streams = _by_stream(found)
    if not streams:
        return 0.0
    count = len(streams)
    spread = float(np.std(bootstrap(streams, seed, resamples)))
    return spread * math.sqrt(count / (count - 1)) if count > 1 else spread


def least_error(found: Sequence[Mark]) -> float:
    """What a standard error is not below, however alike the marks are; 0 without marks.

    That of n things (probes of one thing stand or fall together) of which half a one had come out otherwise, as wide a
    step as the widest mark: size · √(q (1 − q) / n), q = 1 / 2n. Resampling equal marks would give 0, as if n answers
    could prove anything.
    """
    things = len({(mark.stream, mark.key) for mark in found})
    if not things:
        return 0.0
    share = 1 / (2 * things)
    return max(1.0, *(abs(mark.value) for mark in found)) * math.sqrt(share * (1 - share) / things)


def bootstrap(streams: Sequence[Sequence[Floats]], seed: int, resamples: int) -> Floats:
    """Resampled means: streams with replacement, of each its things, of each its probes.

    Args:
        streams: for each stream, for each thing, the values of its probes.
        seed: the same seed gives the same resamples.
        resamples: how many.
    """
    draw = np.random.default_rng(seed)
    count = len(streams)
    within = [_resampled(things, draw, resamples) for things in streams]
    chosen = draw.integers(count, size=(resamples, count))
    # a stream that is drawn twice is taken from two rows, so that its things are drawn afresh
    rows = (np.arange(resamples)[:, None] + np.arange(count)[None, :] * max(1, resamples // count)) % resamples
    means: Floats = np.stack(within, axis=1)[rows, chosen].mean(axis=1)
    return means


def sign_flip(differences: Sequence[float], seed: int = 0, resamples: int = RESAMPLES) -> float:
    """Two-sided p of a mean difference over streams: the share of all ways to flip signs that give as large a mean.

    All 2^S ways are tried for S ≤ EXACT streams, else `resamples` of them at random (and the one seen).
    """
    values = np.asarray(differences, float)
    count = len(values)
    if count == 0:
        return 1.0
    seen = abs(values.sum()) - 1e-12
    if count <= EXACT:
        signs = 1 - 2 * (np.arange(2**count)[:, None] >> np.arange(count) & 1)
        return float(np.mean(np.abs(signs @ values) >= seen))
    signs = np.random.default_rng(seed).choice((-1, 1), size=(resamples, count))
    return (1 + int(np.sum(np.abs(signs @ values) >= seen))) / (resamples + 1)


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down correction (1979): p values that may be held against one level together, in the order given."""
    adjusted, least = [0.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda index: p[index])):
        least = max(least, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = least
    return tuple(adjusted)


def detectable(error: float, streams: int) -> float:
    """Minimum detectable difference: the least true one that is seen at LEVEL, two-sided, with POWER.

    (t_{1−α/2} + t_{power}) · standard error, with streams − 1 degrees of freedom; ∞ for fewer than two streams.
    """
    if streams < 2:
        return math.inf
    return (student(1 - LEVEL / 2, streams - 1) + student(POWER, streams - 1)) * error


def questions_needed(points: float, discordant: float = 0.1) -> int:
    """Paired questions to see a difference of so many percentage points, two-sided at LEVEL with POWER.

    n = (z_{1−α/2} √ψ + z_{power} √(ψ − δ²))² / δ² (Connor 1987, Biometrics 43).

    Args:
        points: the difference, in percentage points.
        discordant: ψ, share of questions that exactly one of the two answers right; at least δ.
    """
    delta = abs(points) / 100
    spread = max(discordant, delta)
    normal = NormalDist()
    reach = normal.inv_cdf(1 - LEVEL / 2) * math.sqrt(spread) + normal.inv_cdf(POWER) * math.sqrt(spread - delta**2)
    return math.ceil((reach / delta) ** 2)


def _two_sided(difference: float, error: float, streams: int) -> float:
    if streams < 2 or difference == 0:
        return 1.0
    least = 2 / 2**streams if streams < LEAST_STREAMS else 0.0
    return max(least, 2 * student_tail(abs(difference) / error, streams - 1))


def _worded(verdict: Verdict) -> Verdict:
    sure = verdict.adjusted < LEVEL and verdict.streams >= LEAST_STREAMS
    words = UNDECIDED if not sure else A_BETTER if verdict.difference > 0 else B_BETTER
    return dataclasses.replace(verdict, words=words)


def _by_stream(found: Sequence[Mark]) -> list[list[Floats]]:
    """Values by stream and thing."""
    streams: Mapping[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for mark in found:
        streams[mark.stream][mark.key].append(mark.value)
    return [[np.asarray(values, float) for values in things.values()] for _, things in sorted(streams.items())]


def _mean_of(things: Sequence[Floats]) -> float:
    return float(np.mean([values.mean() for values in things]))


def _resampled(things: Sequence[Floats], draw: np.random.Generator, resamples: int) -> Floats:
    """Means of one stream, its things drawn with replacement and of each its probes."""
    sizes = np.array([len(values) for values in things])
    table = np.zeros((len(things), int(sizes.max())))
    for row, values in zip(table, things, strict=True):
        row[: len(values)] = values
    means, at_once = [], max(1, CHUNK // table.size)
    for start in range(0, resamples, at_once):
        rows = min(at_once, resamples - start)
        thing = draw.integers(len(things), size=(rows, len(things)))
        total = np.zeros(thing.shape)
        for place in range(table.shape[1]):
            probe = (draw.random(thing.shape) * sizes[thing]).astype(np.intp)
            total += np.where(place < sizes[thing], table[thing, probe], 0.0)
        means.append((total / sizes[thing]).mean(axis=1))
    return np.concatenate(means)
