"""The things of a lesson in; which of them stand together in rows that show how things are put together, out.

Such rows use the wordings and the replies that probes of compositions use. Things that stand together in a row are
never put together by a probe, so that none asks for what was shown.
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
    """Groups of three, and one of two that may be left over; no thing is in two of them.

    At most half of all pairs are within a group, so that probes have others: of three things two make a group, and two
    make none.
    """
    drawn = source.sample(things, len(things))
    if len(drawn) <= 3:
        return [tuple(drawn[:2])] if len(drawn) == 3 else []
    cut = [tuple(drawn[at : at + 3]) for at in range(0, len(drawn), 3)]
    return [group for group in cut if len(group) > 1][:GROUPS]


def within(grouped: Iterable[tuple[Thing, ...]], count: int) -> list[tuple[Thing, ...]]:
    """Everything that so many things of one group make, each in one order."""
    return [chosen for group in grouped for chosen in itertools.combinations(group, count)]


def reserved(grouped: Iterable[tuple[str, ...]]) -> frozenset[frozenset[str]]:
    """The names that no probe may put together: all pairs and threes within a group."""
    grouped = list(grouped)
    return frozenset(frozenset(chosen) for count in (2, 3) for chosen in within(grouped, count))


def rows_of(things: int) -> int:
    """How many rows of this sort a lesson of so many things has."""
    return min(ROWS, ROWS_PER_THING * things)
