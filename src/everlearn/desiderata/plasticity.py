"""Recorded trials in, whether late stages are learnt as well as early ones out."""

from __future__ import annotations

from typing import ClassVar

from everlearn.desiderata.contract import Case, Desideratum, Score, figure, mean, slope
from everlearn.desiderata.efficiency import area_under, learning_curve
from everlearn.desiderata.sequence import LEAST_GAIN, NOT_ONE_BY_ONE, accuracy_matrix, solo_accuracy


class Plasticity(Desideratum):
    """Late stages against early ones, each as a share of what the base learns of it alone."""

    question: ClassVar[str] = "Does it still learn as well after many stages?"

    def scores(self, case: Case) -> tuple[Score, ...]:
        """Slope of learning over stages, and the loss of area under the learning curve.

        - learning by stage: least-squares slope over i of R[i, i] / Q_i, Q_i the base after stage i alone; stages with
          Q_i below LEAST_GAIN are left out. Dividing by Q_i takes out that some families are harder.
        - plasticity loss = 1 − AULC(late) / AULC(early), the mean over the later and the earlier half of the stages
          asked at points within (1 − AULC from the trained model / AULC from the base: 2606.24752, who learn one
          held-out task from both).
        """
        return (_learning(case), _loss(case))


def _learning(case: Case) -> Score:
    name, unit = "learning by stage", "per stage"
    matrix = accuracy_matrix(case)
    solo = solo_accuracy(case)
    pairs = [(stage, matrix.at(stage, stage), solo.get(stage, 0.0)) for stage in range(1, matrix.steps + 1)]
    points = [(float(i), learnt / alone) for i, learnt, alone in pairs if learnt is not None and alone >= LEAST_GAIN]
    few = f"needs two stages whose solo reference reaches {LEAST_GAIN}"
    why = NOT_ONE_BY_ONE if matrix.steps == 0 else few if solo else "no solo reference"
    return figure(name, slope(points), why, unit=unit)


def _loss(case: Case) -> Score:
    curves = [learning_curve(case, stage) for stage in range(1, case.stages + 1)]
    areas = [area_under(curve) for curve in curves if curve]
    half = len(areas) // 2
    early, late = mean(areas[:half]), mean(areas[len(areas) - half :])
    if early is None or late is None:
        return Score("plasticity loss", None, "lower", note="needs two stages asked at points within")
    if early <= 0:
        return Score("plasticity loss", None, "lower", note="the early stages were not learnt")
    return Score("plasticity loss", 1 - late / early, "lower")
