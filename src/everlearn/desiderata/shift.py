"""Recorded trials in, how what was learnt before suffers from stages unlike what the model knows out."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.desiderata.contract import Case, Desideratum, Score, figure, mean, slope
from everlearn.desiderata.sequence import NOT_ONE_BY_ONE, accuracy_matrix, final_accuracy

LEAST_STEPS = 3
"""Steps for a slope: a line through two points says nothing."""


@dataclass(frozen=True)
class Step:
    """One stage of a stream, as seen by what had been learnt before."""

    stage: int
    size: float
    """δ: nats per byte by which the stage's rows are less likely than general text, to the model about to learn it."""
    transfer: float
    """Mean over earlier stages i of R[t, i] − R[t−1, i]: the backward transfer of this step alone."""


def steps(case: Case) -> tuple[Step, ...]:
    """The steps from stage 2 on whose shift was measured: δ_t = NLL_{t−1}(rows of t) − NLL_{t−1}(general text)."""
    matrix = accuracy_matrix(case)
    found = []
    for stage in range(2, matrix.steps + 1):
        before = case.trial.after(stage - 1)
        if before is None or before.next_nll is None or before.text_nll is None:
            continue
        pairs = [(matrix.at(stage, early), matrix.at(stage - 1, early)) for early in range(1, stage)]
        transfer = mean(now - was for now, was in pairs if now is not None and was is not None)
        if transfer is not None:
            found.append(Step(stage, before.next_nll - before.text_nll, transfer))
    return tuple(found)


def spread_over_orders(cases: Sequence[Case]) -> float | None:
    """SD of ACC (n − 1 in the divisor) of one method over several orders of one stream; None for fewer than two."""
    finals = [final_accuracy(accuracy_matrix(case)) for case in cases]
    known = [value for value in finals if value is not None]
    return statistics.stdev(known) if len(known) > 1 else None


class Shift(Desideratum):
    """Backward transfer of each step against the measured size of its shift."""

    question: ClassVar[str] = "Does it bear new data that is unlike what it has seen?"

    def scores(self, case: Case) -> tuple[Score, ...]:
        """BWT by shift, BWT near, BWT far, shift.

        `BWT by shift` is the least-squares slope of a step's backward transfer on its δ: 0 where the size of the shift
        does not matter, below 0 where stages further away destroy more. Near and far: steps with δ up to, and above,
        the median δ. The difference between orders of a stream takes several trials: `spread_over_orders`.
        """
        found = steps(case)
        points = [(step.size, step.transfer) for step in found]
        middle = statistics.median(step.size for step in found) if found else 0.0
        why = NOT_ONE_BY_ONE if accuracy_matrix(case).steps == 0 else "no step from stage 2 on has its shift measured"
        few = f"needs {LEAST_STEPS} steps with a measured shift, not all the same"
        return (
            figure("BWT by shift", slope(points) if len(points) >= LEAST_STEPS else None, few, unit="per nat/byte"),
            figure("BWT near", mean(step.transfer for step in found if step.size <= middle), why),
            figure("BWT far", mean(step.transfer for step in found if step.size > middle), why if not found else few),
            figure("shift", mean(step.size for step in found), why, better="", unit="nats/byte"),
        )
