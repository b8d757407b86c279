"""Recorded answers in, the share that is right with its 95 % interval out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from everlearn.comparison import Z, interval
from everlearn.records import Answer


class Rate(NamedTuple):
    """Questions answered right, out of those asked; at least one was asked."""

    right: int
    asked: int

    @property
    def share(self) -> float:
        """Share right, 0 to 1."""
        return self.right / self.asked

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return wilson(self.right, self.asked)[0]

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return wilson(self.right, self.asked)[1]


class Estimate(NamedTuple):
    """A figure made of several rates or differences, with its 95 % interval."""

    value: float
    low: float
    high: float
    questions: int


def wilson(right: int, asked: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share (Journal of the American Statistical Association 22, 1927)."""
    share, weight = right / asked, Z**2 / asked
    centre = (share + weight / 2) / (1 + weight)
    half = Z * math.sqrt(share * (1 - share) / asked + weight / (4 * asked)) / (1 + weight)
    return max(0.0, centre - half), min(1.0, centre + half)


def rate_of(answers: Sequence[Answer]) -> Rate | None:
    """How many of the answers are right; None where there are none."""
    return Rate(sum(answer.correct for answer in answers), len(answers)) if answers else None


def still_right(before: Sequence[Answer], after: Sequence[Answer]) -> Rate | None:
    """How many questions that were right before are right after; None where none was asked both times."""
    was_right = {answer.question for answer in before if answer.correct}
    return rate_of([answer for answer in after if answer.question in was_right])


def still_right_by_group(before: Sequence[Answer], after: Sequence[Answer]) -> dict[str, Rate]:
    """`still_right` for each group of questions (in the general suite: each skill), in order of name."""
    groups = sorted({answer.group for answer in before})
    rates = {group: still_right([a for a in before if a.group == group], after) for group in groups}
    return {group: rate for group, rate in rates.items() if rate}


def difference(before: Sequence[Answer], after: Sequence[Answer]) -> Estimate | None:
    """After − before in share right, over the questions asked both times, with the paired interval."""
    earlier = {answer.question: answer.correct for answer in before}
    pairs = [(earlier[answer.question], answer.correct) for answer in after if answer.question in earlier]
    if not pairs:
        return None
    won = sum(now and not was for was, now in pairs)
    lost = sum(was and not now for was, now in pairs)
    return Estimate((won - lost) / len(pairs), *interval(won, lost, len(pairs)), len(pairs))


def mean(parts: Sequence[Estimate | Rate]) -> Estimate | None:
    """The mean of independent figures; None of none.

    The interval recovers each part's variance from its own interval (MOVER; Zou, Huang and Zhang,
    Computational Statistics & Data Analysis 53, 2009): low = mean − √Σ(part − part's low)² / k, high alike.
    """
    if not parts:
        return None
    figures = [
        Estimate(part.share, part.low, part.high, part.asked) if isinstance(part, Rate) else part for part in parts
    ]
    value = sum(figure.value for figure in figures) / len(figures)
    below = math.sqrt(sum((figure.value - figure.low) ** 2 for figure in figures)) / len(figures)
    above = math.sqrt(sum((figure.high - figure.value) ** 2 for figure in figures)) / len(figures)
    return Estimate(value, value - below, value + above, sum(figure.questions for figure in figures))
