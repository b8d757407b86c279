"""A board in, for every method its scores on each stream and their mean with an interval over streams out."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from everlearn import plugins
from everlearn.bench.agreement import SCORES, agreement
from everlearn.bench.arms import REFERENCES, SOLO
from everlearn.bench.report.content import NOTHING, TOGETHER, Beside, Board, reference_cases
from everlearn.bench.statistics import Interval, interval_over_streams
from everlearn.desiderata.contract import Case, Desideratum, Score, harmonic_mean
from everlearn.desiderata.sequence import accuracy_matrix, final_accuracy
from everlearn.desiderata.shift import spread_over_orders
from everlearn.errors import SettingsError

SOLO_SAYS = ("LA", "FLOPs", "tokens new")
"""What solo training, a model for each stage, has; every other score asks about one model at the end."""


@dataclass(frozen=True)
class Scored:
    """One score of one method."""

    name: str
    desideratum: str
    better: str
    unit: str
    values: Mapping[int, float | None]
    """By stream."""
    notes: tuple[str, ...]
    """Why it is undefined where it is, each once."""
    spread: Interval | None
    """None where no stream has a value."""


@dataclass(frozen=True)
class Orders:
    """ACC of one method over streams: each generated one has another order of families, and another world."""

    spread: float
    """SD, n − 1 in the divisor."""
    worst: float
    best: float
    streams: int


@dataclass(frozen=True)
class Row:
    """One method on all its streams."""

    method: str
    reference: bool
    cases: tuple[Case, ...]
    """By stream."""
    labels: tuple[str, ...]
    scores: Mapping[str, Scored] = field(default_factory=dict)
    """By name, in the order of the desiderata."""

    def mean(self, name: str) -> float | None:
        """Mean over streams of a score; None where it is undefined or there is no such score."""
        scored = self.scores.get(name)
        return scored.spread.value if scored and scored.spread else None

    @functools.cached_property
    def orders(self) -> Orders | None:
        """How far ACC scatters over the streams; None for fewer than two with an ACC, and for solo training."""
        finals = [final for case in self.cases if (final := final_accuracy(accuracy_matrix(case))) is not None]
        spread = None if self.method == SOLO else spread_over_orders(self.cases)
        return None if spread is None else Orders(spread, min(finals), max(finals), len(finals))


def installed() -> dict[str, Desideratum]:
    """All desiderata that are installed, by name."""
    return {name: plugins.find("desiderata", name, Desideratum)() for name in plugins.names("desiderata")}


def score(board: Board, desiderata: Mapping[str, Desideratum]) -> tuple[Row, ...]:
    """A row for every method, who learns and keeps first, then one for every reference."""
    cases = (*board.cases, *reference_cases(board.cases))
    methods = list(dict.fromkeys(case.trial.method for case in cases))
    known = [name for name in REFERENCES if name in methods]
    others = [name for name in methods if name not in REFERENCES]
    rows = [_row(name, [c for c in cases if c.trial.method == name], desiderata) for name in (*others, *known)]
    apart = [[row for row in rows if row.reference == reference] for reference in (False, True)]
    return (*sorted(apart[0], key=lambda row: standing(row.mean("JNS"), row.mean("rho"))), *apart[1])


def beside(rows: Sequence[Row], other: Board, others: Sequence[Row]) -> Beside:
    """How alike two boards rank their methods, by every score that both have.

    References, and methods that trained nothing, are left out: they are where they are by their making.

    Args:
        rows: of the board that is reported.
        other: the other board.
        others: its rows.

    Raises:
        SettingsError: they have fewer than two methods in common.
    """
    first, second = _compared(rows), _compared(others)
    arms = tuple(name for name in first if name in second)
    if len(arms) < 2:
        raise SettingsError(
            f"{len(arms) or 'no'} method{'' if len(arms) == 1 else 's'} in common with {other.title}: ranks need two",
            "run the same --methods on both; references do not count, nor methods that trained nothing",
        )
    found = [agreement(name, _means(first, arms, name), _means(second, arms, name)) for name in SCORES]
    return Beside(other.title, other.facts.model, arms, tuple(one for one in found if one.arms))


def placed_beside(board: Board, other: Board) -> Board:
    """The board with what another one's ranks say of its own, by all installed desiderata; errors as `beside`."""
    desiderata = installed()
    return replace(board, beside=beside(score(board, desiderata), other, score(other, desiderata)))


def standing(jns: float | None, rho: float | None) -> tuple[bool, float, float]:
    """By what methods are in order, the lowest first: the harmonic mean of JNS and ρ, both held within 0 and 1, the
    largest first; among equals JNS; where one of the two is unknown, last."""
    both = None if jns is None or rho is None else harmonic_mean((jns, rho))
    return both is None, -(both or 0.0), -(jns or 0.0)


def _compared(rows: Sequence[Row]) -> dict[str, Row]:
    return {row.method: row for row in rows if not row.reference and NOTHING not in row.labels}


def _means(rows: Mapping[str, Row], arms: Sequence[str], name: str) -> dict[str, float]:
    return {arm: mean for arm in arms if (mean := rows[arm].mean(name)) is not None}


def _row(method: str, cases: Sequence[Case], desiderata: Mapping[str, Desideratum]) -> Row:
    ordered = tuple(sorted(cases, key=lambda case: case.trial.stream))
    found: dict[str, list[tuple[int, str, Score]]] = {}
    for case in ordered:
        for desideratum, said in _asked(case, desiderata):
            found.setdefault(said.name, []).append((case.trial.stream, desideratum, said))
    labels = tuple(dict.fromkeys(label for case in ordered for label in case.trial.labels))
    reference = method in REFERENCES or TOGETHER in labels
    return Row(method, reference, ordered, labels, {name: _scored(some) for name, some in found.items()})


def _asked(case: Case, desiderata: Mapping[str, Desideratum]) -> Iterable[tuple[str, Score]]:
    for name, desideratum in desiderata.items():
        for said in desideratum.scores(case):
            hidden = case.trial.method == SOLO and said.name not in SOLO_SAYS
            yield name, Score(said.name, None, said.better, said.unit, "not one model") if hidden else said


def _scored(found: Sequence[tuple[int, str, Score]]) -> Scored:
    _, desideratum, first = found[0]
    values = {stream: said.value for stream, _, said in found}
    notes = tuple(dict.fromkeys(said.note for _, _, said in found if said.note))
    spread = interval_over_streams([value for value in values.values() if value is not None])
    return Scored(first.name, desideratum, first.better, first.unit, values, notes, spread)
