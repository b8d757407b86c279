"""Recorded trials in, what learning and keeping a stream cost, and what was had for it, out."""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from everlearn.desiderata.contract import Case, Desideratum, Moment, Score, above_chance, figure, mean, slope
from everlearn.desiderata.sequence import (
    NOT_ONE_BY_ONE,
    accuracy_matrix,
    atoms_by_stage,
    joint_normalised,
    solo_accuracy,
    without_solo,
)

CRITERION = 0.8
"""Chance-corrected accuracy at which a stage counts as learnt."""

SLACK = 1.05
"""Share of the budget that may be spent: packing alone makes costs differ by a few per cent."""

KINDS = ("new", "replayed", "synthetic", "teacher", "generated", "study")
"""Tokens of learning, as `records.Cost` names them; those of exams are ours, not the method's."""

NO_POINTS = "nothing was asked within a stage"

Curve = tuple[tuple[float, float], ...]
"""Share of a stage's steps done, and chance-corrected accuracy on the stage's atom probes then."""


def learning_curve(case: Case, stage: int) -> Curve:
    """How a stage was learnt, from share 0 (the moment before it) to 1; empty where nothing was asked within it."""
    probes = atoms_by_stage(case)[stage]
    before = case.base if stage == 1 else case.trial.after(stage - 1)
    within = [moment for moment in case.trial.moments if moment.stage == stage and moment.share < 1]
    asked = [(0.0, before), *((moment.share, moment) for moment in within), (1.0, case.trial.after(stage))]
    points = [(share, above_chance(moment, probes) if moment else None) for share, moment in asked]
    known = [(share, value) for share, value in points if value is not None]
    return tuple(sorted(known)) if within and len(known) == len(points) else ()


def area_under(curve: Curve) -> float:
    """Area under a learning curve by the trapezoid rule: mean accuracy over the stage's steps."""
    return sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in itertools.pairwise(curve))


def share_to_reach(curve: Curve, level: float) -> float | None:
    """Share of the stage's steps at which a curve first reaches a level, linear between points; None where it never
    does."""
    if curve and curve[0][1] >= level:
        return curve[0][0]
    for (x0, y0), (x1, y1) in itertools.pairwise(curve):
        if y1 >= level:
            return x0 + (x1 - x0) * (level - y0) / (y1 - y0)
    return None


def middle_share(shares: Sequence[float | None], name: str) -> Score:
    """Median share of a stage's steps, those that never got there counted as latest; undefined where that is most."""
    if not shares:
        return Score(name, None, "lower", "stages", NO_POINTS)
    middle = statistics.median(math.inf if share is None else share for share in shares)
    missed = sum(share is None for share in shares)
    note = f"not reached in {missed} of {len(shares)} stages" if missed else ""
    return Score(name, middle if math.isfinite(middle) else None, "lower", "stages", note)


def training_flops(case: Case) -> float:
    """FLOPs of learning all stages: about 6 per parameter and token trained, 2 per token of a forward pass."""
    return sum(moment.cost.flops for moment in case.trial.moments if moment.share == 1.0)


def at_budget(case: Case, flops: float, kept: float = math.inf) -> Moment | None:
    """The last moment at the end of a stage that a budget of FLOPs and of bytes kept pays for; the base at worst.

    None where no cost was recorded, of a trial that learnt.
    """
    spent, reached = 0.0, case.base
    moments = sorted((m for m in case.trial.moments if m.share == 1.0 and m.stage > 0), key=lambda moment: moment.stage)
    if moments and training_flops(case) == 0:
        return None
    for moment in moments:
        spent += moment.cost.flops
        if spent > flops or moment.bytes_kept > kept:
            break
        reached = moment
    return reached


def context_tokens(case: Case) -> float | None:
    """Mean tokens of notes that a question carries at the end: 0 for what is learnt in weights alone.

    None where the trial is the in-context reference and its tokens were not counted.
    """
    if case.context is None or case.trial.method != case.context.method:
        return case.trial.last.prompt_tokens
    return reading_tokens(case)


def reading_tokens(case: Case) -> float | None:
    """Mean tokens of notes that the in-context reference reads for a question of the stream; None where not counted."""
    return mean(case.reading_tokens.get(probe.id) for probe in case.probes if probe.axis != "general")


def pareto(points: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """Places of the points that no other one beats, by rising cost.

    Args:
        points: pairs of a cost, the lower the better, and a score, the higher the better.

    Returns:
        Indexes of `points`; a point is beaten by one that is no worse in both and better in one.
    """

    def beaten(cost: float, score: float) -> bool:
        return any(c <= cost and s >= score and (c, s) != (cost, score) for c, s in points)

    front = [index for index, point in enumerate(points) if not beaten(*point)]
    return tuple(sorted(front, key=lambda index: points[index]))


class Efficiency(Desideratum):
    """Speed of learning, computation, tokens and storage."""

    question: ClassVar[str] = "What does it cost to learn, to keep and to ask?"

    def scores(self, case: Case) -> tuple[Score, ...]:
        """AULC, exposures to criterion, RP, FLOPs, tokens by kind, bytes kept, MS, JNS at budget, per FLOP and
        per byte, FLOPs per question.

        - AULC: mean area under the learning curve, over stages asked at points within
        - to criterion: median share of a stage's steps until CRITERION is reached
        - RP = Σ_i R[i, i] / Σ_i Q_i, Q_i after stage i alone (relative performance of l2metrics, which takes areas
          under both curves; solo training is asked at its end only)
        - bytes per stage: least-squares slope of bytes kept over stages
        - MS = min(1, 1/T Σ_t B_1 / B_t) (Díaz-Rodríguez et al. 2018, 1810.13166, as in Continuum), B_t being the bytes
          kept after stage t. Its sibling SSS needs the size of stored samples alone, which is not recorded.
        - JNS at budget: JNS at the last stage that joint training's FLOPs pay for
        - JNS per FLOP, per byte: JNS over the FLOPs, or the bytes kept at the end, as a multiple of joint training's
        - FLOPs per question: added by notes in the prompt, 2 · parameters · tokens
        """
        curves = [curve for stage in range(1, case.stages + 1) if (curve := learning_curve(case, stage))]
        reached = [share_to_reach(curve, CRITERION) for curve in curves]
        notes = context_tokens(case)
        more = None if notes is None else 2 * case.parameters * notes
        return (
            figure("AULC", mean(area_under(curve) for curve in curves), NO_POINTS),
            middle_share(reached, "to criterion"),
            _relative(case),
            Score("FLOPs", training_flops(case), "lower", "FLOPs"),
            *_tokens(case),
            Score("bytes kept", float(case.trial.last.bytes_kept), "lower", "bytes"),
            *_growth(case),
            _at_joint_cost(case),
            *_per_cost(case),
            figure("FLOPs per question", more, "tokens of notes were not counted", "lower", "FLOPs"),
        )


def _relative(case: Case) -> Score:
    matrix, solo = accuracy_matrix(case), solo_accuracy(case)
    pairs = [(matrix.at(i, i), solo.get(i)) for i in range(1, matrix.steps + 1)]
    known = [(learnt, alone) for learnt, alone in pairs if learnt is not None and alone is not None]
    total = sum(alone for _, alone in known)
    why = without_solo(case) or (NOT_ONE_BY_ONE if not known else "solo training learns nothing")
    return figure("RP", sum(learnt for learnt, _ in known) / total if total > 0 else None, why)


def _tokens(case: Case) -> list[Score]:
    spent: Counter[str] = Counter()
    for moment in case.trial.moments:
        if moment.share == 1.0:
            spent.update(moment.cost.tokens)
    return [Score(f"tokens {kind}", float(spent[kind]), "lower", "tokens") for kind in KINDS]


def _growth(case: Case) -> tuple[Score, Score]:
    """The slope of bytes kept, and MS."""
    steps = range(1, accuracy_matrix(case).steps + 1)
    kept = [(stage, moment.bytes_kept) for stage in steps if (moment := case.trial.after(stage))]
    ratios = [1.0 if kept[0][1] == size else kept[0][1] / size if size else math.inf for _, size in kept]
    return (
        figure("bytes per stage", slope(kept), "needs two stages learnt one by one", "lower", "bytes"),
        figure("MS", min(1.0, sum(ratios) / len(ratios)) if ratios else None, NOT_ONE_BY_ONE),
    )


def _per_cost(case: Case) -> list[Score]:
    """JNS for what joint training spends, and for what it keeps."""
    found = []
    for name, own, its in (
        ("JNS per FLOP", training_flops(case), training_flops(replace(case, trial=case.joint)) if case.joint else 0.0),
        ("JNS per byte", case.trial.last.bytes_kept, case.joint.last.bytes_kept if case.joint else 0),
    ):
        reached = joint_normalised(case, case.trial.last, name)
        if reached.value is None or (own and its):
            value = None if reached.value is None else reached.value * its / own
            found.append(replace(reached, value=value))
        else:
            found.append(Score(name, None, note="costs were not recorded"))
    return found


def _at_joint_cost(case: Case) -> Score:
    name = "JNS at budget"
    if case.joint is None:
        return Score(name, None, note="no joint reference")
    budget = sum(moment.cost.flops for moment in case.joint.moments if moment.share == 1.0)
    reached = at_budget(case, SLACK * budget)
    if budget == 0 or reached is None:
        return Score(name, None, note="costs were not recorded")
    return joint_normalised(case, reached, name)
