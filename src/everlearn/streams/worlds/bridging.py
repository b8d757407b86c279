"""The things of a lesson in; which of them stand together in rows that show how things are put together, out.

Such rows use the wordings and the replies that probes of compositions use. Two things that stand together in a row are
never put together by a probe, alone or with a third, so that none asks for what was shown.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence
from typing import TypeVar

Thing = TypeVar("Thing")

ROWS = 24
"""Rows of this sort in a lesson, at most."""
ROWS_PER_THING = 3
"""The same, for each thing of a lesson: small lessons have fewer."""
GROUPS = 8
"""Groups of a lesson, at most."""


def groups(things: Sequence[Thing], source: random.Random) -> list[tuple[Thing, ...]]:
    """Groups of three, no thing in two of them; of two or three things, one group of two.

    Of five things or more, two at least are in no group: with one of any group they make three things, no two of which
    are shown together, so that probes have such threes. They have pairs from three things on.
    """
    drawn = source.sample(things, len(things))
    if len(drawn) <= 3:
        return [tuple(drawn[:2])] if len(drawn) > 1 else []
    count = min(GROUPS, max(1, (len(drawn) - 2) // 3))
    return [tuple(drawn[3 * at : 3 * at + 3]) for at in range(count)]


def within(grouped: Iterable[tuple[Thing, ...]], count: int) -> list[tuple[Thing, ...]]:
    """Everything that so many things of one group make, each in one order."""
    return [chosen for group in grouped for chosen in itertools.combinations(group, count)]


def reserved(grouped: Iterable[tuple[str, ...]]) -> frozenset[frozenset[str]]:
    """The pairs of names that no probe may put together, not even with others: all within a group."""
    return frozenset(frozenset(pair) for pair in within(grouped, 2))


def rows_of(things: int) -> int:
    """How many rows of this sort a lesson of so many things has."""
    return min(ROWS, ROWS_PER_THING * things)
