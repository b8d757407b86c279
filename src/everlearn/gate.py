"""The exams of a commit, its parent and the base in, a verdict with its reasons out.

A commit is refused if it lost general ability against its parent or against the base (so that slow drift is
caught), if it lost earlier stages, or if it learnt nothing. Where the questions are too few to tell, the
estimate decides, and the verdict says how many it would take.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from everlearn.comparison import FAIL, PASS, UNDECIDED, compare
from everlearn.records import Answer, Comparison, Exam, Verdict


@dataclass(frozen=True)
class Bounds:
    """What a commit may lose and must gain."""

    general: float = 0.97
    """least share of the general questions that must still be answered right"""
    earlier: float = 0.80
    """least share of the earlier stages' right answers that must still be right"""


def judge(
    parent: Exam,
    base: Exam,
    commit: Exam,
    learnt: tuple[Sequence[Answer], Sequence[Answer]],
    bounds: Bounds,
    superseded: Collection[str] = (),
) -> Verdict:
    """The verdict on a commit.

    Args:
        parent, base, commit: the three exams.
        learnt: answers to the new stage's questions before and after.
        superseded: digests of earlier questions whose answer the new stage changed.
    """
    comparisons = [
        _kept("general, against the parent", parent.general, commit.general, bounds.general),
        _kept("general, against the base", base.general, commit.general, bounds.general),
    ]
    was = [answer for stage in parent.stages for answer in stage.answers if answer.question not in superseded]
    now = [answer for stage in commit.stages for answer in stage.answers]
    if any(answer.correct for answer in was):
        comparisons.append(_kept("earlier stages", was, now, bounds.earlier))
    comparisons.append(compare("learnt", *learnt, least=0.0))
    return _verdict(comparisons)


def _kept(name: str, before: Sequence[Answer], after: Sequence[Answer], share: float) -> Comparison:
    """Compare only what was right before: what may be lost is a share of that."""
    right = [answer for answer in before if answer.correct]
    return compare(name, right, after, least=share - 1)


def _verdict(comparisons: list[Comparison]) -> Verdict:
    *kept, learnt = comparisons
    reasons = [_lost(comparison) for comparison in kept if _below(comparison)]
    if learnt.after <= learnt.before:
        reasons.append(_nothing_learnt(learnt))
    if reasons:
        return Verdict(False, "; ".join(reasons), tuple(comparisons))
    unsure = [c for c in comparisons if c.verdict == UNDECIDED]
    doubt = "; ".join(f"{c.name}: not enough evidence, {c.needed} questions would tell" for c in unsure)
    return Verdict(True, doubt or "nothing lost, something learnt", tuple(comparisons))


def _below(comparison: Comparison) -> bool:
    """Surely below its bound, or undecided with the estimate itself below it."""
    if comparison.verdict in {PASS, FAIL}:
        return comparison.verdict == FAIL
    return comparison.after - comparison.before < comparison.least


def _lost(comparison: Comparison) -> str:
    return f"{comparison.name}: {comparison.before:.3f} → {comparison.after:.3f}"


def _nothing_learnt(learnt: Comparison) -> str:
    return f"nothing trained: the new questions were at {learnt.before:.3f} and are at {learnt.after:.3f}"
