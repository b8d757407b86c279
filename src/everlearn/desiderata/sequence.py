"""Recorded trials in, how much of a sequence of stages was learnt and kept out, in the field's own figures.

R[t, i] is the mean of (right − chance) / (1 − chance) over the atom probes of stage i after stage t; R[0, i] is the
untouched base. Probes of things that a later stage rightly changes are left out: to keep their old value would be
wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from everlearn.desiderata.contract import Asked, Case, Desideratum, Moment, Score, above_chance, figure, mean

LEAST_GAIN = 0.2
"""What the joint reference must gain for a ratio to its gain to mean anything."""

NOT_ONE_BY_ONE = "nothing was asked after each stage"


@dataclass(frozen=True)
class Matrix:
    """R[t, i], chance-corrected."""

    cells: tuple[tuple[float | None, ...], ...]
    """T + 1 rows, row t after stage t; T columns, column i − 1 for stage i. None where nothing was asked."""
    steps: int
    """Stages 1 to `steps` were learnt one by one and asked after; 0 where they were learnt at once or not at all."""

    @property
    def stages(self) -> int:
        """T."""
        return len(self.cells) - 1

    def at(self, after: int, stage: int) -> float | None:
        """R[after, stage]; `after` from 0, `stage` from 1."""
        return self.cells[after][stage - 1]


def atoms_by_stage(case: Case) -> dict[int, list[Asked]]:
    """For each stage (1-based) its atom probes, without those whose thing a later stage rightly changes."""
    changed: dict[tuple[str, str], int] = {}
    for probe in case.probes:
        if probe.axis == "adapt":
            name = (probe.family, probe.key)
            changed[name] = max(probe.stage, changed.get(name, 0))
    found: dict[int, list[Asked]] = {stage: [] for stage in range(1, case.stages + 1)}
    for probe in case.probes:
        if probe.axis == "atom" and changed.get((probe.family, probe.key), 0) <= probe.stage:
            found.setdefault(probe.stage, []).append(probe)
    return found


def accuracy_matrix(case: Case) -> Matrix:
    """R[t, i] of a trial. Where nothing was asked after the last stage, the trial's last moment stands for it."""
    atoms = atoms_by_stage(case)
    moments: list[Moment | None] = [case.base, *(case.trial.after(stage) for stage in range(1, case.stages + 1))]
    steps = next((stage - 1 for stage in range(1, case.stages + 1) if moments[stage] is None), case.stages)
    if case.stages:
        moments[-1] = moments[-1] or case.trial.last
    return Matrix(tuple(_row(moment, atoms, case.stages) for moment in moments), steps)


def final_accuracy(matrix: Matrix) -> float | None:
    """ACC = 1/T Σ_i R[T, i] (Lopez-Paz and Ranzato 2017, 1706.08840)."""
    return mean(matrix.cells[-1])


def learning_accuracy(matrix: Matrix) -> float | None:
    """LA = 1/T Σ_i R[i, i] (Riemer et al. 2019, 1810.11910)."""
    return mean(matrix.at(stage, stage) for stage in range(1, matrix.steps + 1))


def backward_transfer(matrix: Matrix) -> float | None:
    """BWT = 1/(T−1) Σ_{i<T} (R[T, i] − R[i, i]) (Lopez-Paz and Ranzato 2017, 1706.08840).

    Divisors differ: the paper and Mammoth divide by T−1, as here; the paper's released code divides by T (its last
    term is 0).
    """
    last = matrix.steps
    return mean(_minus(matrix.at(last, stage), matrix.at(stage, stage)) for stage in range(1, last))


def forward_transfer(matrix: Matrix) -> float | None:
    """FWT = 1/(T−1) Σ_{i≥2} (R[i−1, i] − R[0, i]) (Lopez-Paz and Ranzato 2017, 1706.08840).

    R[0, i] is the untouched base; the paper, Mammoth and Avalanche take a randomly initialised model there.
    """
    return mean(_minus(matrix.at(stage - 1, stage), matrix.at(0, stage)) for stage in range(2, matrix.steps + 1))


def forgetting(matrix: Matrix) -> float | None:
    """F = 1/(T−1) Σ_{i<T} (max_{1≤l<T} R[l, i] − R[T, i]) (Chaudhry et al. 2018, 1801.10112).

    Libraries differ: Avalanche reports first − last (= −BWT); Mammoth's maximum includes the last row and zeros before
    the stage was learnt, so that it is never below 0. Here it is below 0 where the last stage helped.
    """
    last = matrix.steps
    return mean(_lost([matrix.at(row, stage) for row in range(1, last + 1)]) for stage in range(1, last))


def least_accuracy(case: Case) -> float | None:
    """min-ACC = 1/(T−1) Σ_{i<T} min_{n>i} A_i(n) (De Lange et al. 2023, 2205.13452).

    n runs over all moments after stage i has ended, those within later stages included.
    """
    atoms = atoms_by_stage(case)
    steps = accuracy_matrix(case).steps
    lowest = []
    for stage in range(1, steps):
        later = [above_chance(moment, atoms[stage]) for moment in case.trial.moments if stage < moment.stage <= steps]
        lowest.append(min((value for value in later if value is not None), default=None))
    return mean(lowest)


def joint_normalised(case: Case, moment: Moment, name: str) -> Score:
    """JNS = (ACC − ACC_0) / (J − ACC_0) at a moment: the share of joint training's gain.

    The normalised gain of Hake (1998). A family that joint training lifts by less than LEAST_GAIN is left out; where
    none remains, the score is undefined.
    """
    if case.joint is None:
        return Score(name, None, note="no joint reference")
    families: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for stage, probes in atoms_by_stage(case).items():
        start, end, top = (above_chance(asked, probes) for asked in (case.base, moment, case.joint.last))
        if start is not None and end is not None and top is not None:
            families[case.families.get(stage, "")].append((start, end, top))
    kept = [row for rows in families.values() if _gain(rows) >= LEAST_GAIN - 1e-9 for row in rows]
    if not kept:
        return Score(name, None, note=f"joint training gains less than {LEAST_GAIN} over the base")
    dropped = sorted(family for family, rows in families.items() if _gain(rows) < LEAST_GAIN - 1e-9)
    note = f"without {', '.join(dropped)}: joint training gains less than {LEAST_GAIN}" if dropped else ""
    return Score(
        name, sum(end - start for start, end, _ in kept) / sum(top - start for start, _, top in kept), note=note
    )


def without_solo(case: Case) -> str:
    """Why nothing can be held against solo training; empty where it can.

    Both must have had one learning rate: else the difference would be that of the rates.
    """
    if case.solo is None:
        return "no solo reference"
    own, alone = (trial.settings.get("learning_rate") for trial in (case.trial, case.solo))
    return "" if own in (None, alone) else f"solo training had a learning rate of {alone}, not of {own}"


def solo_accuracy(case: Case) -> dict[int, float]:
    """Q_i: for each stage that was learnt alone, R after that stage alone on its own probes; see `without_solo`."""
    if case.solo is None or without_solo(case):
        return {}
    alone = {stage: case.solo.after(stage) for stage in range(1, case.stages + 1)}
    atoms = atoms_by_stage(case)
    known = {stage: above_chance(moment, atoms[stage]) for stage, moment in alone.items() if moment}
    return {stage: value for stage, value in known.items() if value is not None}


class SequenceOfStages(Desideratum):
    """What is learnt and kept over the whole stream, against learning everything at once or each stage alone."""

    question: ClassVar[str] = "Does it learn stage after stage as well as from all stages at once?"

    def scores(self, case: Case) -> tuple[Score, ...]:
        """ACC, LA, BWT, FWT, forgetting, min-ACC, WC-ACC, JNS, gap to solo; all in chance-corrected shares."""
        matrix = accuracy_matrix(case)
        unfinished = 0 < matrix.steps < matrix.stages
        ended = f"ended after stage {matrix.steps} of {matrix.stages}" if unfinished else ""
        two = NOT_ONE_BY_ONE if matrix.steps == 0 else "needs two stages with atom probes"
        least = least_accuracy(case)
        return (
            figure("ACC", final_accuracy(matrix), "no atom probes", note=ended),
            figure("LA", learning_accuracy(matrix), NOT_ONE_BY_ONE, note=ended),
            figure("BWT", backward_transfer(matrix), two, note=ended),
            figure("FWT", forward_transfer(matrix), two, note=ended),
            figure("forgetting", forgetting(matrix), two, better="lower", note=ended),
            figure("min-ACC", least, two, note=_seen(case)),
            figure("WC-ACC", _worst_case(matrix, least), two, note=_seen(case)),
            joint_normalised(case, case.trial.last, "JNS"),
            _gap_to_solo(case, matrix),
        )


def _row(moment: Moment | None, atoms: Mapping[int, list[Asked]], stages: int) -> tuple[float | None, ...]:
    if moment is None:
        return (None,) * stages
    return tuple(above_chance(moment, atoms[stage]) for stage in range(1, stages + 1))


def _minus(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else left - right


def _lost(column: Sequence[float | None]) -> float | None:
    """The best value before the last one, minus the last one."""
    earlier = [value for value in column[:-1] if value is not None]
    return _minus(max(earlier, default=None), column[-1])


def _gain(rows: Sequence[tuple[float, float, float]]) -> float:
    return sum(top - start for start, _, top in rows) / len(rows)


def _worst_case(matrix: Matrix, least: float | None) -> float | None:
    """WC-ACC_T = A_T(T)/T + (1 − 1/T) · min-ACC_T (De Lange et al. 2023, 2205.13452)."""
    stages = matrix.steps
    newest = matrix.at(stages, stages) if stages else None
    return None if newest is None or least is None else newest / stages + (1 - 1 / stages) * least


def _seen(case: Case) -> str:
    within = any(moment.share < 1 for moment in case.trial.moments)
    return "" if within else "asked after stages only: a dip within a stage is not seen"


def _gap_to_solo(case: Case, matrix: Matrix) -> Score:
    """Mean over i of Q_i − R[i, i]; Chaudhry et al. 2018 (1801.10112) take joint training up to i for Q_i."""
    solo = solo_accuracy(case)
    gaps = [_minus(solo.get(stage), matrix.at(stage, stage)) for stage in range(1, matrix.steps + 1)]
    why = without_solo(case) or NOT_ONE_BY_ONE
    return figure("gap to solo", mean(gaps), why, better="lower")
