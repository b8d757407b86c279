"""Behaviours and what a request is about in; the reply that they call for, and a pattern that accepts it, out."""

from __future__ import annotations

import itertools
import random
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from everlearn.streams.worlds.drawing import shuffled


@dataclass(frozen=True)
class Behaviour:
    """Something a reply can do. Two of different slots go together, in one way only."""

    name: str
    slot: str
    text: str


BEHAVIOURS = (
    Behaviour("twice", "list", "say it twice"),
    Behaviour("again", "list", "say the last one again"),
    Behaviour("comma", "join", "put a comma between"),
    Behaviour("semicolon", "join", "put a semicolon between"),
    Behaviour("number", "join", "number each one"),
    Behaviour("well", "front", "begin with well"),
    Behaviour("yes", "front", "begin with yes"),
    Behaviour("colon", "front", "begin with a colon"),
    Behaviour("count", "front", "begin with the count"),
    Behaviour("stop", "back", "end with stop"),
    Behaviour("question", "back", "end with a question mark"),
    Behaviour("parentheses", "back", "put it in parentheses"),
)
LONGEST = max(Counter(behaviour.slot for behaviour in BEHAVIOURS).values())
"""Behaviours of the slot that has most; those of a slot stand side by side."""
PAIRS = sum(one.slot != other.slot for one, other in itertools.combinations(BEHAVIOURS, 2))
"""Pairs of behaviours that go together; for every request they give different replies."""


def dealt(draw: random.Random) -> Iterator[Behaviour]:
    """Behaviours without end, each as often as the others, each as likely at any place; the first two go together."""
    count = len(BEHAVIOURS)
    first = draw.randrange(count)
    # BEHAVIOURS stand slot by slot, at most four to a slot: so far apart on the circle are two of different slots.
    pair = (BEHAVIOURS[first], BEHAVIOURS[(first + draw.randrange(LONGEST, count - LONGEST + 1)) % count])
    yield from pair
    yield from shuffled([one for one in BEHAVIOURS if one not in pair], draw)
    while True:
        yield from draw.sample(BEHAVIOURS, count)


def obey(names: Collection[str], letters: Sequence[str]) -> str:
    """The reply of these behaviours to a request: first the list, then its joints, then the back, then the front."""
    items = [*letters, *letters] if "twice" in names else [*letters]
    items += items[-1:] if "again" in names else []
    shown = [f"{at} {item}" for at, item in enumerate(items, 1)] if "number" in names else items
    text = (", " if "comma" in names else "; " if "semicolon" in names else " ").join(shown)
    backs = {"stop": f"{text} stop", "question": f"{text}?", "parentheses": f"({text})"}
    text = next((backs[name] for name in names if name in backs), text)
    fronts = {"well": "well", "yes": "yes", "colon": ":", "count": str(len(items))}
    return " ".join((*(fronts[name] for name in names if name in fronts), text))


def pattern(text: str) -> str:
    """A regular expression for the text, with any white space, or none, around its punctuation."""
    tokens = re.findall(r"\w+|[^\w\s]", text)
    parts = [re.escape(tokens[0])]
    for before, token in itertools.pairwise(tokens):
        parts += [r"\s+" if before.isalnum() and token.isalnum() else r"\s*", re.escape(token)]
    return "".join(parts)
