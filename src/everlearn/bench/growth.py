"""The grids of a ladder in; each score against the number of things, with its slope per doubling, out.

Needs no model: everything is read from what was recorded.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from everlearn.bench.arms import CONTEXT, REFERENCES
from everlearn.bench.board import board_of, cases_of
from everlearn.bench.grid import Grid
from everlearn.bench.recording import read_stream
from everlearn.bench.report.content import Board, Curve, Facts, Point, reference_cases
from everlearn.bench.scaling import Rung, notes_of
from everlearn.bench.statistics import Interval, interval_over_streams
from everlearn.desiderata.automaticity import Automaticity
from everlearn.desiderata.contract import Case, above_chance
from everlearn.desiderata.scale import slope_per_doubling

ACCURACY, COMPOSITION, AU, SHADOW = "accuracy", "composition", "AU", "shadow rate"
TOKENS, ALL_NOTES = "context tokens", "all notes"
SCORES = (ACCURACY, COMPOSITION, AU, SHADOW, TOKENS, ALL_NOTES)
"""In the order in which they are shown; the last one is of the arm `context` alone."""

APART = 100_000
"""Between the numbers that streams of two families get on one board."""


@dataclass(frozen=True)
class Growth:
    """How one score of one arm changes as a family's things become more."""

    family: str
    arm: str
    score: str
    points: Mapping[int, Interval]
    """By number of things: the mean over streams."""
    slope: Interval | None
    """Change for each doubling: mean over streams of `slope_per_doubling`; None where no stream has two numbers."""


def growths(rungs: Sequence[Rung]) -> tuple[Growth, ...]:
    """By family and score, a growth for every arm of which something is finished, references last."""
    values: dict[tuple[str, str, str], dict[int, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for rung in rungs:
        for arm, stream, score, value in _measured(rung.grid):
            values[rung.family, score, arm][rung.count][stream] = value
    families = list(dict.fromkeys(rung.family for rung in rungs))
    ordered = sorted(
        (key for key, by_count in values.items() if key[1] != TOKENS or _any(by_count)),  # weights need no notes
        key=lambda key: (families.index(key[0]), SCORES.index(key[1]), key[2] in REFERENCES),
    )
    return tuple(grown(name, arm, score, values[name, score, arm]) for name, score, arm in ordered)


def grown(family: str, arm: str, score: str, values: Mapping[int, Mapping[int, float]]) -> Growth:
    """The growth of a score.

    Args:
        family: whose things are counted.
        arm: whose score it is.
        score: its name.
        values: by number of things and by stream.
    """
    points = {
        count: interval
        for count, by_stream in sorted(values.items())
        if (interval := interval_over_streams(list(by_stream.values())))
    }
    streams = sorted({stream for by_stream in values.values() for stream in by_stream})
    slopes = [
        slope_per_doubling([(count, by[stream]) for count, by in values.items() if stream in by]) for stream in streams
    ]
    return Growth(family, arm, score, points, interval_over_streams([one for one in slopes if one is not None]))


def curves_of(found: Sequence[Growth]) -> tuple[Curve, ...]:
    """The growths as curves of a report."""
    return tuple(
        Curve(
            one.arm,
            one.score,
            f"things learnt, {one.family}",
            tuple(Point(count, at.value, at.low, at.high) for count, at in one.points.items()),
        )
        for one in found
    )


def board_of_ladder(rungs: Sequence[Rung], found: Sequence[Growth]) -> Board:
    """What a report says of a ladder: its curves, and all else of the largest number of each family.

    Streams of the second family and of further ones get numbers of their own.
    """
    begun = [rung for rung in rungs if any(rung.grid.is_finished(cell) for cell in rung.grid.cells())]
    largest = {rung.family: rung for rung in begun}
    boards = {rung.name: board_of(rung.grid, compared=False) for rung in begun}
    cases = [
        _renumbered(case, APART * place)
        for place, rung in enumerate(largest.values())
        for case in boards[rung.name].cases
    ]
    names = ", ".join(rung.name for rung in largest.values())
    notes = (
        f"all but the scaling curves is of {names}, asked about the first things, before all and at the end alone",
        *notes_of(rungs),
        *(f"{name}: {note}" for name, board in boards.items() for note in board.notes),
    )
    facts = _facts([boards[rung.name].facts for rung in begun])
    tier = rungs[0].grid.request.tier
    title = f"everlearn benchmark, as things become more, tier {tier}"
    return Board(tuple(cases), title, facts, curves=curves_of(found), notes=notes)


def _any(by_count: Mapping[int, Mapping[int, float]]) -> bool:
    return any(value for by_stream in by_count.values() for value in by_stream.values())


def _measured(grid: Grid) -> Iterator[tuple[str, int, str, float]]:
    """Arm, stream, score and value of all that is finished and defined."""
    cases = cases_of(grid)
    for case in (*cases, *reference_cases(cases)):
        for score, value in figures(case).items():
            if value is not None:
                yield case.trial.method, case.trial.stream, score, value
    for seed in sorted({case.trial.stream for case in cases if case.context is not None}):
        yield CONTEXT, seed, ALL_NOTES, float(read_stream(grid.stream_path(seed)).notes_tokens)


def figures(case: Case) -> dict[str, float | None]:
    """The scores of one arm on one stream, at the end; None where one is undefined.

    - accuracy: mean of (right − chance) / (1 − chance) over atom probes
    - composition: the same over compositions
    - AU, shadow rate: as the desideratum `automaticity` says
    - context tokens: mean tokens of notes in front of a question; 0 for what is learnt in weights
    """
    last = case.trial.last
    scores = {score.name: score.value for score in Automaticity().scores(case)}
    return {
        ACCURACY: above_chance(last, case.chosen(lambda asked: asked.axis == "atom")),
        COMPOSITION: above_chance(last, case.chosen(lambda asked: asked.axis == "composition")),
        AU: scores["AU"],
        SHADOW: scores["shadow rate"],
        TOKENS: scores["context tokens"],
    }


def _renumbered(case: Case, by: int) -> Case:
    """The case as one of another stream, so that two families do not share any."""
    trials = {
        name: replace(trial, stream=trial.stream + by)
        for name in ("joint", "solo", "context")
        if (trial := getattr(case, name)) is not None
    }
    return replace(case, trial=replace(case.trial, stream=case.trial.stream + by), **trials)


def _facts(found: Sequence[Facts]) -> Facts:
    """Of all grids together: the digest is that of their answers' digests; salts are in their own reports."""
    if not found:
        return Facts()
    answers = hashlib.sha256("".join(facts.answers for facts in found).encode()).hexdigest()
    started, ended = min(facts.started for facts in found), max(facts.ended for facts in found)
    return replace(found[0], started=started, ended=ended, answers=answers, salts={})
