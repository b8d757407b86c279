"""Invented places and stones, and what texts say about them, in; the training rows of both out."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from everlearn.records import Example
from everlearn.streams.contract import ask, tell

VALUES: Mapping[str, Sequence[str]] = {
    "crop": "rice corn wheat beans peas apples pears grapes nuts tea cotton hay".split(),
    "emblem": "sun moon star crown key sword ship bell wheel tower rose leaf".split(),
    "beast": "cow goat horse sheep dog cat pig duck bear wolf fox deer".split(),
    "colour": "red blue green white black grey brown pink gold orange purple yellow".split(),
}
"""What a place has, and the colour of stones; twelve values each, known in every world."""

TELLS = ("the {r} of {s} is {v}", "{s} has the {r} {v}", "{v} is the {r} of {s}")
ASKS: tuple[str, ...] = (
    "which is the {r} of {s}?",
    "which {r} does {s} have?",
    "the {r} of {s} is which?",
    "name the {r} of {s}.",
)
ASKS += ("say which {r} {s} has.",)
HELD_OUT_ASKS: tuple[str, ...] = ("tell me the {r} of {s}.", "do you know the {r} of {s}?", "of {s}, which is the {r}?")
HELD_OUT_ASKS += ("which is the {r} that {s} has?",)

MARKS: Mapping[str, tuple[tuple[str, str, str], tuple[str, str]]] = {
    "trusted": (
        ("checked: {x}", "the register says {x}", "{x}, as the register says"),
        ("checked: {x}", "by the register, {x}"),
    ),
    "untrusted": (("rumour: {x}", "a rumour says {x}", "{x}, as a rumour says"), ("rumour: {x}", "by the rumour, {x}")),
    "negated": (
        ("not true: {x}", "it is not true that {x}", "{x}, which is not true"),
        ("not true: {x}", "what is not true, {x}"),
    ),
    "fiction": (("tale: {x}", "in the tale {x}", "{x}, as the tale goes"), ("tale: {x}", "in the tale, {x}")),
    "law": (
        ("article: {x}", "an article says {x}", "{x}, as an article says"),
        ("article: {x}", "by the article, {x}"),
    ),
    "scoped": (
        ("only in the north: {x}", "in the north, but only there, {x}", "{x}, but only in the north"),
        ("only in the north: {x}", "in the north, {x}"),
    ),
    "source": (("{source}: {x}", "{source} says {x}", "{x}, as {source} says"), ("{source}: {x}", "by {source}, {x}")),
}
"""How statements, and how questions, of each kind of text are marked. The three statements and the five questions of a
thing take the marks in turn: 8 exposures of each text, whatever its kind."""


@dataclass(frozen=True)
class Slot:
    """What a place (of early claims: a farm) has, or the colour of a kind of stone, as first taught."""

    relation: str
    subject: str
    value: str
    lesson: int
    stones: tuple[str, ...] = ()
    """Of a law: the stones that show it, and then as many that are in no lesson."""

    @property
    def key(self) -> str:
        """What it is about, whatever the value."""
        return f"trust:{self.relation}:{self.subject.rpartition(' ')[2]}"

    @property
    def note(self) -> str:
        """As a plain statement."""
        return self.worded(TELLS)[0] + "."

    def worded(self, wordings: Sequence[str], value: str = "") -> list[str]:
        """Wordings about it, with its own value or another."""
        return [words.format(r=self.relation, s=self.subject, v=value or self.value) for words in wordings]

    def of_stone(self, at: int) -> Slot:
        """Of a law: the same said of a single stone."""
        return replace(self, subject=self.stones[at]) if self.stones else self

    def rows(self) -> list[Example]:
        """What a lesson trains on: a row in each wording; of a law one on each stone, in the wordings in turn."""
        kinds = len(TELLS) + len(ASKS)
        return [self.of_stone(at)._row(at % kinds) for at in range(len(self.stones) // 2 or kinds)]

    def _row(self, wording: int) -> Example:
        """The row in one of the three statements or the five questions."""
        words = self.worded((*TELLS, *ASKS))[wording]
        return tell(words + ".") if wording < len(TELLS) else ask(words, self.value)


@dataclass(frozen=True)
class Text:
    """What a later lesson says about a slot."""

    kind: str
    slot: Slot
    value: str
    lesson: int
    source: str = ""

    @property
    def note(self) -> str:
        """As one marked statement."""
        return self._marked(0)[0] + "."

    def rows(self) -> list[Example]:
        """What a lesson trains on."""
        told = (tell(words + ".") for words in self._marked(0))
        return [*told, *(ask(prompt, self.value) for prompt in self._marked(1))]

    def _marked(self, form: int) -> list[str]:
        kind = "source" if self.source else "trusted" if self.kind == "revert" else self.kind
        wordings = self.slot.worded((TELLS, ASKS)[form], self.value)
        marks = itertools.cycle(MARKS[kind][form])
        return [mark.format(x=words, source=self.source) for words, mark in zip(wordings, marks, strict=False)]
