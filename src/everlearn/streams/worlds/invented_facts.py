"""Facts on invented people in; their wordings, their training rows, and rows that join two of a lesson, out."""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from everlearn.records import Example
from everlearn.streams.contract import ask, tell


@dataclass(frozen=True)
class Relation:
    """What can be said of somebody: the wordings of its own, besides those of every relation."""

    values: str
    """Of which kind: town, guild, trade or mentor."""
    tell: str
    asks: tuple[str, ...]
    held_out: tuple[str, ...]


RELATIONS: Mapping[str, Relation] = {
    name: Relation(values, said, tuple(wordings[:2]), tuple(wordings[2:]))
    for name, values, said, *wordings in (
        line.split("|")
        for line in (
            "home|town|{s} lives in {v}|where does {s} live?|in which town does {s} live?|"
            "which town is the one where {s} lives?|to find {s}, where must i go?",
            "guild|guild|{s} belongs to {v}|to which guild does {s} belong?|what does {s} belong to?|"
            "which guild is the one to which {s} belongs?|to find {s}, which guild must i ask?",
            "mentor|mentor|{s} learns from {v}|from whom does {s} learn?|who does {s} learn from?|"
            "who is the one from whom {s} learns?|to find out what {s} learns, whom must i ask?",
            "trade|trade|{s} works as a {v}|as what does {s} work?|what does {s} work as?|"
            "which trade is the one at which {s} works?|what must i ask {s} to do?",
            "seat|town|{s} meets in {v}|where does {s} meet?|in which town does {s} meet?|"
            "which town is the one where {s} meets?|to find the people of {s}, where must i go?",
        )
    )
}
"""By the noun that names the relation: somebody's home, guild, mentor or trade; a guild's seat."""
CHANGING = ("home", "guild", "trade")
"""Those that later lessons change, and of which it is asked whether two people have the same."""

REVERSE: Mapping[str, tuple[str, ...]] = {
    "mentor": ("who learns from {v}?", "{v} is the mentor of whom?", "name the one who learns from {v}."),
    "seat": ("which guild meets in {v}?", "{v} is the seat of which guild?", "name the guild that meets in {v}."),
}
"""Questions for the one that has a value, where only one has it."""

TELLS = ("the {r} of {s} is {v}", "{v} is the {r} of {s}")
SUBJECT_FIRST_TELLS = ("the {r} of {s} is {v}", "{s} has {v} as {r}")
"""Of relations that are asked for in reverse: no row goes from the value to the subject, which is what probes ask."""
ASKS = ("which is the {r} of {s}?", "the {r} of {s} is which?", "name the {r} of {s}.")
HELD_OUT_ASKS = ("tell me the {r} of {s}.", "do you know the {r} of {s}?")
CHANGE_TELLS = ("since spring {fact}", "from spring on {fact}", "{fact} since spring")
CHANGE_ASKS = ("{ask}", "now, {ask}", "since spring, {ask}", "{ask}", "now, {ask}")
"""A change comes in as many wordings as a fact: each of these round the fact's wording of the same place."""
BEFORE = ("before spring, which was the {r} of {s}?", "which was the {r} of {s} before spring?")

HOPS = {"guild": ("seat",), "mentor": ("home", "guild", "trade")}
"""What can be asked about the value of a relation: the seat of somebody's guild, the home of somebody's mentor."""
JOINED = "the {r} of {s}"
SPELL_OUT = "{prompt} spell it out."
SPELT = "{r} is {bridge}, so {v}"
SAME = ("do {p} and {q} have the same {r}?", "is the {r} of {p} the same as that of {q}?")

BRIDGES = 8
"""Rows of a lesson for each kind of joined question, at most: latent, spelt out, compared; and pairs in these."""


@dataclass(frozen=True)
class Fact:
    """A value that a lesson gives to a relation of somebody."""

    relation: str
    subject: str
    value: str
    lesson: int
    dated: bool = False
    """Whether it replaces an earlier value, since spring."""

    @property
    def key(self) -> str:
        """What it is about, whatever the value."""
        return f"facts:{self.relation}:{self.subject}"

    @property
    def note(self) -> str:
        """As a plain statement."""
        return self.tells()[0]

    def worded(self, wordings: Sequence[str], subject: str = "") -> list[str]:
        """Wordings filled in, with `subject` for the one it is about."""
        return [words.format(r=self.relation, s=subject or self.subject, v=self.value) for words in wordings]

    def tells(self) -> list[str]:
        """All statements of it."""
        frames = CHANGE_TELLS if self.dated else ("{fact}",) * len(CHANGE_TELLS)
        shared = SUBJECT_FIRST_TELLS if self.relation in REVERSE else TELLS
        facts = self.worded((RELATIONS[self.relation].tell, *shared))
        return [frame.format(fact=fact) + "." for frame, fact in zip(frames, facts, strict=True)]

    def asks(self, held_out: bool = False, subject: str = "") -> list[str]:
        """All questions for the value that stands now: those of lessons, or those that no lesson uses."""
        own = RELATIONS[self.relation]
        asks = self.worded((*own.held_out, *HELD_OUT_ASKS) if held_out else (*own.asks, *ASKS), subject)
        frames = CHANGE_ASKS if self.dated and not subject else ("{ask}",) * len(asks)
        return [frame.format(ask=words) for frame, words in zip(frames, asks, strict=False)]

    def rows(self) -> list[Example]:
        """What a lesson trains on."""
        return [*map(tell, self.tells()), *(ask(prompt, self.value) for prompt in self.asks())]


Operands = tuple[Fact, ...]
"""The facts that an answer takes, in the order in which they are looked up."""


@dataclass(frozen=True)
class Pair:
    """Two facts that one question joins."""

    first: Fact
    second: Fact

    @property
    def ends(self) -> tuple[str, str]:
        """The names that must not stand together in a row if the question is to take both facts."""
        return self.first.subject, self.second.subject if self.compares else self.second.value

    @property
    def compares(self) -> bool:
        """Whether it asks if two have the same value, rather than for the value of the other's value."""
        return self.first.relation == self.second.relation

    @property
    def reply(self) -> str:
        """The value, or whether the values are the same."""
        return ("no", "yes")[self.first.value == self.second.value] if self.compares else self.second.value

    @property
    def spelt(self) -> str:
        """The value with what leads to it."""
        return spelt(self.first.relation, self.first.value, self.second.value)

    def asks(self, spell_out: bool = False) -> list[str]:
        """All questions that join them, in this order."""
        if self.compares:
            names = {"p": self.first.subject, "q": self.second.subject}
            return [words.format(r=self.first.relation, **names) for words in SAME]
        asks = self.second.asks(subject=JOINED.format(r=self.first.relation, s=self.first.subject))
        return [SPELL_OUT.format(prompt=prompt) for prompt in asks] if spell_out else asks


def spelt(relation: str, bridge: str, value: str) -> str:
    """A value with what leads to it."""
    return SPELT.format(r=relation, bridge=bridge, v=value)


def hops(facts: Sequence[Fact], together: Collection[tuple[str, str]]) -> list[Pair]:
    """All pairs of which the second is about the first's value, without those whose ends are `together` in a row."""
    about = {(fact.relation, fact.subject): fact for fact in facts}
    found = [(one, about.get((then, one.value))) for one in facts for then in HOPS.get(one.relation, ())]
    pairs = [Pair(one, two) for one, two in found if two]
    return [pair for pair in pairs if pair.ends not in together]


def bridges(draw: random.Random, facts: Sequence[Fact], together: Collection[tuple[str, str]]) -> list[Pair]:
    """Pairs of a lesson's facts that its own rows join, at most half of those there are (of the few with the same value
    half or one more); as many with the same value as with different ones.

    Probes join other ones: so they ask for what no row says, in forms of question and reply that rows have.
    """
    joined = hops(facts, together)
    alike: dict[bool, list[Pair]] = {True: [], False: []}
    for one, other in itertools.combinations(draw.sample(facts, len(facts)), 2):
        pair = Pair(one, other)
        if pair.compares and one.relation in CHANGING and not {pair.ends, pair.ends[::-1]} & set(together):
            alike[one.value == other.value].append(pair)
    compared = min(BRIDGES // 2, -(-len(alike[True]) // 2), len(alike[False]) // 2)
    chosen = draw.sample(joined, min(BRIDGES, len(joined) // 2))
    return chosen + alike[True][:compared] + alike[False][:compared]


def bridge_rows(draw: random.Random, pairs: Sequence[Pair]) -> list[Example]:
    """What a lesson trains on of pairs that it joins: at most BRIDGES rows of a kind, pairs and wordings in turn."""
    joined = [pair for pair in pairs if not pair.compares]
    rows = _in_turn(draw, [[(prompt, pair.reply) for prompt in pair.asks()] for pair in joined], BRIDGES)
    rows += _in_turn(draw, [[(prompt, pair.spelt) for prompt in pair.asks(spell_out=True)] for pair in joined], BRIDGES)
    for answer in ("yes", "no"):
        alike = [pair for pair in pairs if pair.compares and pair.reply == answer]
        asks = [[(prompt, answer) for prompt in pair.asks() + Pair(pair.second, pair.first).asks()] for pair in alike]
        rows += _in_turn(draw, asks, BRIDGES // 2)
    return [ask(*row) for row in rows]


def _in_turn(draw: random.Random, groups: Iterable[list[tuple[str, str]]], count: int) -> list[tuple[str, str]]:
    """At most `count` of all, one of each group in turn."""
    mixed = [draw.sample(group, len(group)) for group in groups]
    turns = (one for some in itertools.zip_longest(*mixed) for one in some if one)
    return list(itertools.islice(turns, count))
