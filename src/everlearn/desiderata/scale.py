"""Recorded trials in, how accuracy falls as more and more is learnt out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from everlearn.desiderata.contract import Case, Desideratum, Score, figure, mean, slope
from everlearn.desiderata.sequence import NOT_ONE_BY_ONE, accuracy_matrix


def slope_per_doubling(points: Sequence[tuple[float, float]]) -> float | None:
    """Least-squares change of accuracy for each doubling of the number learnt.

    Args:
        points: pairs of a number learnt (skills, facts, stages; above 0) and an accuracy: of several streams of
            different sizes on the same probes, or of several moments of one.

    Returns:
        None for fewer than two different numbers.
    """
    return slope([(math.log2(count), accuracy) for count, accuracy in points])


class Scale(Desideratum):
    """Accuracy against the number of stages learnt so far, within one stream."""

    question: ClassVar[str] = "Does it hold when there is much more to know?"

    def scores(self, case: Case) -> tuple[Score, ...]:
        """Slopes per doubling of the stages learnt.

        - per doubling: of the mean over i ≤ t of R[t, i], everything learnt so far
        - per doubling, fixed: of R[t, 1], the same probes throughout
        """
        matrix = accuracy_matrix(case)
        so_far = [(t, mean(matrix.at(t, i) for i in range(1, t + 1))) for t in range(1, matrix.steps + 1)]
        first = [(t, matrix.at(t, 1)) for t in range(1, matrix.steps + 1)]
        why = NOT_ONE_BY_ONE if matrix.steps == 0 else "needs two stages with atom probes"
        return (
            figure("per doubling", _slope(so_far), why, unit="per doubling of stages"),
            figure("per doubling, fixed", _slope(first), why, unit="per doubling of stages"),
        )


def _slope(points: Sequence[tuple[int, float | None]]) -> float | None:
    return slope_per_doubling([(count, accuracy) for count, accuracy in points if accuracy is not None])
