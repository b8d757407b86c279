"""Two lists of right and wrong answers to the same questions in, their difference with an interval out.

The interval is Bonett and Price's adjusted Wald interval for a difference of paired proportions (Journal of
Educational and Behavioral Statistics 37, 2012): it stays honest for few questions and for no change at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from everlearn.records import Answer, Comparison

Z = 1.959964
"""Two-sided 95 %."""

PASS, FAIL, UNDECIDED = "pass", "fail", "not enough evidence"


def compare(name: str, before: Sequence[Answer], after: Sequence[Answer], least: float) -> Comparison:
    """Is after − before, in share of right answers, at least `least`? Paired by question digest.

    `pass`: the whole interval is above `least`; `fail`: all of it is below; else `not enough evidence`, with the
    number of questions it would take for the interval to leave `least` at the difference seen.
    """
    earlier = {answer.question: answer.correct for answer in before}
    pairs = [(earlier[answer.question], answer.correct) for answer in after if answer.question in earlier]
    count = len(pairs)
    won = sum(1 for was, now in pairs if now and not was)
    lost = sum(1 for was, now in pairs if was and not now)
    low, high = interval(won, lost, count)
    verdict = PASS if low >= least else FAIL if high < least else UNDECIDED
    return Comparison(
        name,
        sum(was for was, _ in pairs) / count if count else 0.0,
        sum(now for _, now in pairs) / count if count else 0.0,
        low,
        high,
        count,
        verdict,
        least,
        questions_needed(won, lost, count, least) if verdict == UNDECIDED else 0,
    )


def interval(won: int, lost: int, count: int) -> tuple[float, float]:
    """95 % confidence interval of (won − lost) / count for `count` paired questions."""
    gain, loss = (won + 1) / (count + 2), (lost + 1) / (count + 2)
    half = Z * math.sqrt((gain + loss - (gain - loss) ** 2) / (count + 2))
    return max(-1.0, gain - loss - half), min(1.0, gain - loss + half)


def questions_needed(won: int, lost: int, count: int, least: float) -> int:
    """Questions at which the interval would no longer contain `least`, if the rates stay as they are."""
    gain, loss = (won + 1) / (count + 2), (lost + 1) / (count + 2)
    margin = max(abs(gain - loss - least), 1e-3)
    return max(count + 1, math.ceil(Z**2 * (gain + loss - (gain - loss) ** 2) / margin**2))
