"""Invented words and rules of a language in; its phrase for an English one, at once or word by word, out."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

GLOSSES = {
    "noun": """
    dog cat bird horse cow pig duck lion bear mouse frog snake tree leaf flower seed river lake hill rock cloud star
    road house door wall roof room bed table chair lamp book pen box bag cup plate knife fork spoon cake shoe hat
    coat ring boat car wheel ball man woman boy girl child baby friend mother father sister brother doctor farmer
    teacher soldier sailor painter singer dancer hunter baker driver writer thief judge queen king prince giant
    witch ghost town village city garden forest field farm bridge tower castle church school shop market kitchen
    window mirror carpet candle bottle basket bucket hammer nail needle thread rope chain hook net coin key lock
    clock map letter stamp flag drum flute harp guitar piano song story picture poem dream game toy doll kite puzzle
    pear peach plum cherry lemon grape melon nut bean carrot potato tomato pumpkin shirt skirt dress sock glove
    scarf belt button pocket jacket rabbit fox wolf deer goat donkey monkey tiger camel whale shark crab spider worm
    snail turtle lizard parrot swan goose hen finger hand foot nose mouth tooth knee shoulder heart bone mountain
    valley cave beach desert storm rainbow shadow
    """.split(),
    "verb": """
    see hear find like need take bring make hold push pull carry follow help meet visit watch know catch cut draw
    drop feed fetch fill fix guard hate hide kick kiss lead lift love paint plant praise protect ride save sell send
    teach thank touch trust wash call
    """.split(),
    "adjective": """
    big small red blue white black new good bad cold hot long clean dark deep dry fast fat flat free full happy hard
    heavy high kind late light loud poor proud quiet rich round sad safe short shy slow soft strong sweet tall thick
    thin tired warm weak wet wide wild wise young
    """.split(),
}
CORE = {"noun": 50, "verb": 18, "adjective": 12}
"""Glosses that are drawn first: a base sees them in many worlds. The others are for worlds of many words."""

SIDES = ("before", "after")
ORDERS = tuple(" ".join(order) for order in itertools.permutations(("subject", "verb", "object")))


@dataclass(frozen=True)
class Construction:
    """Something that every language here can say, each in a way of its own."""

    topic: str
    english: str
    speech: tuple[str, ...]
    """Parts of speech of the words that go in, in the order of the English."""
    ways: tuple[str, ...]
    """Where things can stand: a particle before or after its word, an adjective before or after its noun, or the order
    of a sentence."""
    particle: bool = True
    """Whether an invented word marks it."""

    def say(self, words: Sequence[str], way: str, particle: str) -> str:
        """These invented words, in the order of the English, put in this way."""
        if self.ways == ORDERS:
            subject, verb, target = words
            places = {"subject": subject, "verb": verb, "object": target}
            return " ".join(places[place] for place in way.split())
        first = particle or words[0]
        return f"{first} {words[-1]}" if way == "before" else f"{words[-1]} {first}"


CONSTRUCTIONS = {
    "plural": Construction("more than one", "more than one {0}", ("noun",), SIDES),
    "question": Construction("a question", "is it a {0}", ("noun",), SIDES),
    "negation": Construction("not", "do not {0}", ("verb",), SIDES),
    "past": Construction("the past", "did {0}", ("verb",), SIDES),
    "adjective": Construction("the adjective", "a {0} {1}", ("adjective", "noun"), SIDES, False),
    "order": Construction("the word order", "the {0} does {1} the {2}", ("noun", "verb", "noun"), ORDERS, False),
}


@dataclass(frozen=True)
class Word:
    """An invented word for an English one, and how a later lesson respells it."""

    word: str
    gloss: str
    speech: str
    lesson: int
    role: str = "changed"
    respelt: str = ""
    respelt_in: int = -1

    @property
    def key(self) -> str:
        """The thing that probes ask about."""
        return f"language:word:{self.gloss}:{self.word}"

    @property
    def names(self) -> list[str]:
        """Its spelling, and its new one."""
        return [name for name in (self.word, self.respelt) if name]

    @property
    def notes(self) -> dict[int, str]:
        """What lessons say of it, in short, by lesson."""
        notes = {self.lesson: f"{self.word} means {self.gloss}."}
        return notes | ({self.respelt_in: f"from now on {self.gloss} is {self.respelt}."} if self.respelt else {})


@dataclass(frozen=True)
class Rule:
    """How this language says one construction."""

    name: str
    way: str
    particle: str
    lesson: int
    language: str
    """The language's name, for keys."""

    @property
    def construction(self) -> Construction:
        """What it says."""
        return CONSTRUCTIONS[self.name]

    @property
    def key(self) -> str:
        """The thing that probes ask about."""
        return f"language:rule:{self.name}:{self.language}"

    @property
    def answer(self) -> str:
        """The rule itself, in words."""
        side = f"{self.way} the {self.construction.speech[-1]}"
        return f"{self.particle} {side}" if self.particle else self.way if self.name == "order" else side

    @property
    def notes(self) -> dict[int, str]:
        """What its lesson says of it, in short, by lesson."""
        return {self.lesson: f"{self.construction.topic}: {self.answer}."}

    def english(self, words: Sequence[Word]) -> str:
        """The phrase or sentence in English."""
        return self.construction.english.format(*(word.gloss for word in words))

    def say(self, words: Sequence[Word], way: str = "") -> str:
        """The phrase or sentence in the language; in another `way`, wrongly."""
        return self.construction.say([word.word for word in words], way or self.way, self.particle)

    def spell_out(self, words: Sequence[Word]) -> str:
        """Each word by itself, and then the phrase or sentence."""
        return ", ".join(f"{word.gloss} is {word.word}" for word in words) + f", so {self.say(words)}"


def fill(draw: random.Random, rule: Rule, words: Sequence[Word], newest: int | None = None) -> list[Word]:
    """Different words for the places of a rule, one of the lesson `newest` if that is given; none if there are none."""
    fitting = [[word for word in words if word.speech == speech] for speech in rule.construction.speech]
    for _ in range(100 if all(fitting) else 0):
        chosen = [draw.choice(place) for place in fitting]
        if len(set(chosen)) == len(chosen) and (newest is None or any(word.lesson == newest for word in chosen)):
            return chosen
    return []
