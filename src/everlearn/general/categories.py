"""A seed in, questions on what kind of thing something is out."""

from __future__ import annotations

import random

from everlearn.general.contract import Frame, GeneralSkill, Row, Topic, article, capital, table
from everlearn.records import Question

KINDS = table("""
    rose: flower, hammer: tool, apple: fruit, car: vehicle, piano: musical instrument, carrot: vegetable, oak: tree,
    banana: fruit, violin: musical instrument, bus: vehicle, tulip: flower, sparrow: bird, snake: reptile,
    truck: vehicle, daisy: flower, pine: tree, trumpet: musical instrument, guitar: musical instrument,
    sofa: piece of furniture, saw: tool, pear: fruit, potato: vegetable, trout: fish, crow: bird, lizard: reptile,
    boat: vehicle, drum: musical instrument, flute: musical instrument, wrench: tool, orange: fruit, onion: vegetable,
    duck: bird, spinach: vegetable, bicycle: vehicle, sapphire: gemstone, mango: fruit, cello: musical instrument,
    lily: flower, peach: fruit, cherry: fruit, screwdriver: tool, lettuce: vegetable, tomato: fruit, maple: tree,
    turtle: reptile, cucumber: vegetable, harp: musical instrument, dagger: weapon, sword: weapon, beetle: insect,
    ruby: gemstone, diamond: gemstone, whale: mammal, horse: mammal, cat: mammal, lemon: fruit, grape: fruit
""")

GROUPS = {
    "fruits/fruit": ["apple", "banana", "pear", "grape", "orange", "mango", "peach"],
    "animals/mammals": ["dog", "cat", "horse", "cow", "lion", "tiger", "rabbit"],
    "colors": ["red", "blue", "green", "yellow", "purple", "pink", "black"],
    "vehicles": ["car", "bus", "truck", "train", "bicycle", "boat", "plane"],
    "tools": ["hammer", "saw", "drill", "wrench", "screwdriver", "pliers"],
    "furniture": ["chair", "table", "sofa", "bed", "desk", "shelf"],
    "vegetables": ["carrot", "onion", "potato", "cabbage", "spinach"],
    "flowers": ["rose", "lily", "daisy", "orchid", "tulip"],
    "cities/two cities": ["Paris", "London", "Rome", "Berlin", "Madrid"],
    "countries/two countries": ["France", "Spain", "Egypt", "Japan", "Brazil"],
}

SINGULAR = table("""
    fruit: fruits/fruit, animal: animals/mammals, color: colors, vehicle: vehicles, tool: tools,
    vegetable: vegetables, flower: flowers, city: cities/two cities, country: countries/two countries
""")


class Categories(GeneralSkill):
    """Which kind a thing is of, and what things have in common."""

    def questions(self, seed: int) -> list[Question]:
        """Kinds of single things, the common kind of two, and which of two is of a kind."""
        return self.draw(_topics(random.Random(seed)), count=72, seed=seed)


def _topics(chance: random.Random) -> list[Topic]:
    kinds = [_kind(thing, kind) for thing, kind in KINDS]
    plum, bear, robin = _kind("plum", "fruit"), _kind("bear", "animal"), _kind("robin", "bird")
    return [
        Topic(
            kinds,
            [
                Frame("What is {0}?", ("{1} is {2}.",), (bear, plum)),
                Frame("What kind of thing is {0}?", ("{1} is {2}.",), (bear, plum)),
                Frame("{1} is a type of what?", ("{1} is a type of {3}.", "{1} is {2}."), (plum, robin)),
            ],
        ),
        Topic(
            _common(),
            [
                Frame(
                    "What are {0} and {1}?",
                    ("{0} and {1} are {2}.",),
                    (("rose", "tulip", "flowers"), ("hawk", "eagle", "birds")),
                )
            ],
        ),
        Topic(
            _either(chance),
            [
                Frame(
                    "Which of these is {2}: {0} or {1}?",
                    ("The {3} is {4}.",),
                    (("rose", "shoe", "a flower", "flower", "rose"), ("paper", "eagle", "a bird", "bird", "eagle")),
                )
            ],
        ),
    ]


def _kind(thing: str, kind: str) -> Row:
    return article(thing), capital(article(thing)), article(kind), kind


def _common() -> list[Row]:
    return [
        (first, second, group)
        for group, members in GROUPS.items()
        for first in members
        for second in members
        if first != second
    ]


def _either(chance: random.Random) -> list[Row]:
    rows: list[Row] = []
    for kind, group in SINGULAR:
        for member in GROUPS[group]:
            first, second = chance.sample([member, _stranger(group, chance)], 2)
            rows.append((first, second, article(kind), kind, member))
    return rows


def _stranger(group: str, chance: random.Random) -> str:
    return chance.choice(GROUPS[chance.choice([other for other in GROUPS if other != group])])
