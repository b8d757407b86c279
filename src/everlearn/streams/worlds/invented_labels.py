"""A source of chance in; invented labels for conjunctions of common attributes, and things that have them, out."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from everlearn.errors import SettingsError

ATTRIBUTES = {
    "colour": "red blue green yellow black white".split(),
    "shape": "round square flat long thin wide".split(),
    "size": "tiny small short tall large huge".split(),
    "pattern": "plain striped dotted checked spotted wavy".split(),
    "material": "wood glass stone metal paper cotton".split(),
    "weather": "wet dry hot cold warm cool".split(),
}
"""Six attributes of six values each; that no value belongs to two attributes is tested."""
VALUES = 6
DETAILS = (1, 2, 2)
"""Attributes that do not decide in a description, as often as they stand here."""


@dataclass(frozen=True)
class Label:
    """An invented word for everything that has certain traits, and the word that a later lesson puts in its place."""

    word: str
    traits: tuple[tuple[str, str], ...]
    """Attribute and value of what decides, in the order of ATTRIBUTES."""
    lesson: int
    renamed: str = ""
    renamed_in: int = -1

    @property
    def key(self) -> str:
        """The thing that probes ask about."""
        return f"classes:{self.word}"

    @property
    def meaning(self) -> str:
        """The values that decide."""
        return " and ".join(value for _, value in self.traits)

    @property
    def names(self) -> list[str]:
        """Its word, and its new one."""
        return [name for name in (self.word, self.renamed) if name]

    @property
    def notes(self) -> dict[int, str]:
        """What lessons say of it, in short, by lesson."""
        notes = {self.lesson: f"{self.word}: {self.meaning}."}
        return notes | ({self.renamed_in: f"{self.word} is now called {self.renamed}."} if self.renamed else {})


def describe(draw: random.Random, label: Label, unseen: bool) -> str:
    """Values of a thing with this label, those that decide among others, in random order.

    A description is kept for probes (`unseen`) where its details add up to a multiple of three.
    """
    deciding = dict(label.traits)
    free = [name for name in ATTRIBUTES if name not in deciding]
    while True:
        details = draw.sample(free, min(draw.choice(DETAILS), len(free)))
        places = [draw.randrange(VALUES) for _ in details]
        if (sum(places) % 3 == 0) == unseen:
            values = [ATTRIBUTES[name][place] for name, place in zip(details, places, strict=True)]
            return " ".join(draw.sample([*deciding.values(), *values], len(deciding) + len(values)))


def conjunctions(draw: random.Random, lessons: int, items: int) -> tuple[list[tuple[tuple[str, str], ...]], str]:
    """Traits of every label, lesson by lesson, and the lead: as few deciding attributes as give enough labels, and one
    combination more, so that nobody who knows all lessons but one can tell by elimination what that one shares.

    Raises:
        SettingsError: more labels than conjunctions.
    """
    blocks = -(-items // VALUES)
    enough = [count for count in range(2, len(ATTRIBUTES)) if VALUES ** (count - 1) > lessons * blocks]
    if not enough:
        raise SettingsError(
            f"classes: {lessons} lessons of {items} labels are more than there are conjunctions of attributes",
            f"ask for at most {VALUES ** (len(ATTRIBUTES) - 1) - VALUES} labels",
        )
    lead, *rest = draw.sample(list(ATTRIBUTES), enough[0])
    shared = draw.sample(list(itertools.product(*(ATTRIBUTES[name] for name in rest))), lessons * blocks)
    leads = draw.sample(ATTRIBUTES[lead], min(items, VALUES))
    found = []
    for lesson in range(lessons):
        own = itertools.product(shared[lesson * blocks : (lesson + 1) * blocks], leads)
        for values, value in itertools.islice(own, items):
            traits = dict(zip(rest, values, strict=True)) | {lead: value}
            found.append(tuple((name, traits[name]) for name in ATTRIBUTES if name in traits))
    return found, lead


def values_left(labels: Sequence[Label], lesson: int, attribute: str, lead: str) -> int:
    """How many values of an attribute of a lesson's labels are left to somebody who knows the labels of all others."""
    known = [dict(label.traits) for label in labels if label.lesson != lesson]
    if not known:
        return VALUES
    if attribute == lead:  # every lesson has the same values of it
        return len({traits[attribute] for traits in known})
    rest = [name for name in known[0] if name != lead]
    used = {tuple(traits[name] for name in rest) for traits in known}
    every = itertools.product(*(ATTRIBUTES[name] for name in rest))
    found = Counter(one[rest.index(attribute)] for one in every if one not in used)
    return round(found.total() / max(found.values()))  # some values may have more combinations left than others
