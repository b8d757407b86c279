"""Recorded trials in, whether late stages are learnt as well as early ones out."""

from __future__ import annotations

from typing import ClassVar

from everlearn.desiderata.contract import Case, Desideratum, Score, figure, slope
from everlearn.desiderata.sequence import LEAST_GAIN, NOT_ONE_BY_ONE, accuracy_matrix, solo_accuracy, without_solo

LATE = 4
"""The last one of so many parts of the stream is late: one stage at least."""


class Plasticity(Desideratum):
    """What each stage adds, as a share of what the base learns of it alone."""

    question: ClassVar[str] = "Does it still learn as well after many stages?"

    def scores(self, case: Case) -> tuple[Score, ...]:
        """Slope of learning over stages, and what the trained model learns less than the base does, late in the stream.

        Both are of R[i, i] and Q_i, what the base knows after stage i alone: families differ in difficulty. Stages with
        Q_i below LEAST_GAIN are left out.

        - learning by stage: least-squares slope over i of R[i, i] / Q_i
        - plasticity loss = 1 − Σ R[i, i] / Σ Q_i over the last quarter of the stages: the same tasks from the trained
          model and from the base, as in 2606.24752, who have areas under learning curves of one held-out task; below 0
          where what was learnt before helps
        """
        pairs, missing = _pairs(case)
        first_late = case.stages - max(1, case.stages // LATE) + 1
        late = {stage: pair for stage, pair in pairs.items() if stage >= first_late}
        sums = [sum(each) for each in zip(*late.values(), strict=True)]
        loss = 1 - sums[0] / sums[1] if late else None
        steepness = slope([(float(stage), learnt / alone) for stage, (learnt, alone) in pairs.items()])
        few, none = (f"needs {what} whose solo reference reaches {LEAST_GAIN}" for what in ("two stages", "a late one"))
        return (
            figure("learning by stage", steepness, missing or few, unit="per stage"),
            figure("plasticity loss", loss, missing or none, better="lower"),
        )


def _pairs(case: Case) -> tuple[dict[int, tuple[float, float]], str]:
    """By stage R[i, i] and Q_i, where both are known and Q_i is large enough; and why there can be none."""
    matrix, solo = accuracy_matrix(case), solo_accuracy(case)
    missing = NOT_ONE_BY_ONE if matrix.steps == 0 else without_solo(case)
    found = {}
    for stage in range(1, matrix.steps + 1):
        learnt, alone = matrix.at(stage, stage), solo.get(stage, 0.0)
        if learnt is not None and alone >= LEAST_GAIN:
            found[stage] = (learnt, alone)
    return found, missing
