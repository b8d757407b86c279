"""A short list of letters or digits and an operation in, the changed list out; chains of them, and how to guess one."""

from __future__ import annotations

import functools
import itertools
import random
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

Symbols = tuple[str, ...]
Change = Callable[[Symbols], Symbols]

ALPHABETS = (string.ascii_lowercase, string.digits)

UNKNOWN = -1
"""Instead of a place in PRIMITIVES."""


class Primitive(NamedTuple):
    """One thing that can be done to a list."""

    phrase: str
    """What it does, after the name of whatever does it."""
    change: Change
    undo: Change | None = None
    """None where not every list of its length can come out."""


def drawn(source: random.Random, length: int) -> Symbols:
    """Different symbols of one alphabet; digits a third of the time."""
    return tuple(source.sample(ALPHABETS[source.random() < 1 / 3], length))


def dealt(before: Sequence[int], source: random.Random) -> list[int]:
    """Places in PRIMITIVES, one for each place in `before` and never the same (UNKNOWN leaves all open).

    Each comes as often as any other as far as that goes, so that a lesson shows many of them.
    """
    left: list[int] = []
    places = []
    for old in before:
        if not {*left} - {old}:
            left += range(len(PRIMITIVES))
        places.append(source.choice([place for place in left if place != old]))
        left.remove(places[-1])
    return places


def step(symbols: Symbols, by: int) -> Symbols:
    """Each symbol replaced by the one `by` further on in its alphabet, whose end joins its beginning."""
    alphabets = [next(alphabet for alphabet in ALPHABETS if symbol in alphabet) for symbol in symbols]
    return tuple(a[(a.index(symbol) + by) % len(a)] for a, symbol in zip(alphabets, symbols, strict=True))


PRIMITIVES = (
    Primitive("turns the list round", lambda x: x[::-1], lambda x: x[::-1]),
    Primitive("swaps the first two", lambda x: (x[1], x[0], *x[2:]), lambda x: (x[1], x[0], *x[2:])),
    Primitive("swaps the last two", lambda x: (*x[:-2], x[-1], x[-2]), lambda x: (*x[:-2], x[-1], x[-2])),
    Primitive("moves the first to the end", lambda x: (*x[1:], x[0]), lambda x: (x[-1], *x[:-1])),
    Primitive("moves the last to the front", lambda x: (x[-1], *x[:-1]), lambda x: (*x[1:], x[0])),
    Primitive("steps all on", lambda x: step(x, 1), lambda x: step(x, -1)),
    Primitive("steps all back", lambda x: step(x, -1), lambda x: step(x, 1)),
    Primitive("steps the last on", lambda x: x[:-1] + step(x[-1:], 1), lambda x: x[:-1] + step(x[-1:], -1)),
    Primitive("doubles the first", lambda x: (x[0], *x)),
    Primitive("doubles the last", lambda x: (*x, x[-1])),
    Primitive("copies the first to the end", lambda x: (*x, x[0])),
    Primitive("copies the last to the front", lambda x: (x[-1], *x)),
)
"""On three or more different symbols no two of them give the same list. Eight keep a list's length and four add one, so
that there are always four results of a length to choose from."""


def chained(does: tuple[int, ...], x: Symbols) -> tuple[Symbols, ...]:
    """The list after each of these PRIMITIVES, given by their places, the first one first."""
    return tuple(itertools.accumulate(does, lambda symbols, at: PRIMITIVES[at].change(symbols), initial=x))[1:]


class Guess(NamedTuple):
    """What can be said of a chain, some of whose operations are unknown."""

    chains: tuple[tuple[int, ...], ...]
    """All that it could be."""
    values: int
    """1 / the share of these that give the most common result, rounded down."""


@functools.cache
def guess(known: tuple[int, ...], length: int, steps: bool = False, ordered: bool = False) -> Guess:
    """The chains that agree with `known` (places in PRIMITIVES, or UNKNOWN) on lists of a length up to 5.

    Left out are chains that leave their input as it was and, if `ordered`, those that give the same the other way
    round. With `steps`, results differ where a step does. Symbols far apart in the alphabet stand for all.
    """
    x = tuple("agmsy"[:length])
    every = itertools.product(*(range(len(PRIMITIVES)) if at == UNKNOWN else (at,) for at in known))
    chains = tuple(
        does
        for does in every
        if chained(does, x)[-1] != x and not (ordered and chained(does, x)[-1] == chained(does[::-1], x)[-1])
    )
    results = Counter(chained(does, x) if steps else chained(does, x)[-1:] for does in chains)
    return Guess(chains, len(chains) // max(results.values(), default=1))
