"""A source of chance and things to draw from in; what a world changes later, and what its probes ask, out."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

Thing = TypeVar("Thing")


def to_change(
    taught: Sequence[int], changed: Collection[int], lesson: int, items: int, source: random.Random
) -> list[int]:
    """Which things `lesson` changes, as places in `taught`, the lessons of all things of a world.

    A quarter of `items`, or one, of earlier lessons, none of them in `changed`; half of each lesson's things stay as
    they are for good, so that there may be fewer.
    """
    full = Counter(taught[at] for at in changed)
    open_places = [at for at in range(len(taught)) if taught[at] < lesson and at not in changed]
    chosen: list[int] = []
    for at in source.sample(open_places, len(open_places)):
        if len(chosen) < max(1, items // 4) and full[taught[at]] < items // 2:
            full[taught[at]] += 1
            chosen.append(at)
    return chosen


def repeated(things: Sequence[Thing], count: int, source: random.Random) -> list[Thing]:
    """`count` of the things in random order, each as often as any other but for one; none if there are none."""
    return list(itertools.islice(itertools.cycle(shuffled(things, source)), count))


def shuffled(things: Sequence[Thing], source: random.Random) -> tuple[Thing, ...]:
    """The things in random order."""
    return tuple(source.sample(things, len(things)))


def others(things: Sequence[Thing], without: Collection[Thing], count: int, source: random.Random) -> list[Thing]:
    """`count` of the things, each once, none of those in `without`; all that are left if there are no more."""
    drawn = source.sample(things, min(count + len(without), len(things)))
    return [thing for thing in drawn if thing not in without][:count]


def wrong_replies(replies: Iterable[str], right: str) -> tuple[str, ...]:
    """All of the replies as a probe holds its rivals: sorted, each once, none empty, none right."""
    return tuple(sorted({*replies} - {"", right}))
