"""An invented name, a marker and an operation on lists in; the wordings that teach them and ask for them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from everlearn.streams.worlds.list_operations import PRIMITIVES, UNKNOWN, Symbols, chained, guess

SAID = ("{name} {phrase}.", "what {name} does: it {phrase}.", "{name} of {x} is {y}.")
ASKED = (
    "{name} {x}",
    "use {name} on {x}.",
    "what is {name} of {x}?",
    "apply {name}: {x}",
    "{x} under {name} becomes",
    "what does {x} become with {name}?",
)
UNHEARD = (
    "what does {name} make of {x}?",
    "{x}: now do {name}.",
    "run {name} with {x}.",
    "give the {name} form of {x}.",
)
SAID_MARKED = (
    "lists marked {marker} get {name}.",
    "the mark {marker} calls for {name}.",
    "marked {marker}, {x} becomes {y}.",
)
ASKED_MARKED = (
    "the list {x} is marked {marker}. what does it become?",
    "{x}, marked {marker}, becomes",
    "marked {marker}: {x}",
    "what does {x} become if marked {marker}?",
    "change this list marked {marker}: {x}",
    "the mark is {marker}, the list is {x}.",
)
"""As many as SAID and ASKED, so that a marker is shown as often as a name, in as many wordings."""
NOTE, SAID_ANEW = "{name} {phrase}; lists marked {marker} get it.", "from now on {name} {phrase}."
CHANGED = (SAID_ANEW, "{name} has changed: it {phrase}.", SAID[2])
BEFORE = ("in the old way, {name} {x}", "what was {name} of {x} before?")
BACKWARDS = ("which list gives {x} under {name}?", "{name} of which list is {x}?")
COMPOSED = {
    "chain": ("{0} then {1} on {x}", "first {0}, then {1}: {x}", "do {0} and then {1} on {x}."),
    "chain_explicit": ("show both steps: {0} then {1} on {x}", "show both steps. do {0} and then {1} on {x}."),
    "order": ("{1} after {0} on {x}", "what is {1} of {0} of {x}?"),
    "chain_three": ("{0} then {1} then {2} on {x}", "first {0}, then {1}, then {2}: {x}"),
}
"""By kind; {0} is always what is done first."""
WHICH = ("what do lists marked {marker} get?", "which word goes with the mark {marker}?")


@dataclass(frozen=True)
class Operator:
    """An invented name, its marker, and what it does."""

    name: str
    marker: str
    lesson: int
    does: int
    """Place in PRIMITIVES."""
    changed: int = -1
    """The later lesson that redefines it; below zero where none does."""
    then: int = -1
    """What it does from there on."""

    @property
    def key(self) -> str:
        """As probes are paired by it."""
        return f"operators:{self.name}"

    def write(self, template: str, x: Symbols = (), y: Symbols = (), does: int | None = None) -> str:
        """A template filled in; `does` is what it does at first, unless given."""
        phrase = PRIMITIVES[self.does if does is None else does].phrase
        return template.format(name=self.name, marker=self.marker, phrase=phrase, x=" ".join(x), y=" ".join(y))


def operands(kind: str) -> int:
    """How many operators a kind of COMPOSED puts together."""
    return COMPOSED[kind][0].count("{") - 1


def spelt(kind: str, does: tuple[int, ...], x: Symbols) -> str:
    """The reply to a kind of COMPOSED: the list after all operations, or after each of two."""
    texts = [" ".join(symbols) for symbols in chained(does, x)]
    return f"first {texts[0]}, then {texts[1]}" if kind == "chain_explicit" else texts[-1]


def tells(kind: str, chain: Sequence[Operator], lengths: Sequence[int]) -> bool:
    """Whether a probe of a kind of COMPOSED may ask for the chain: its reply says something on lists of all lengths."""
    does, unknown = tuple(part.does for part in chain), (UNKNOWN,) * len(chain)
    return all(does in guess(unknown, size, kind == "chain_explicit", kind == "order").chains for size in lengths)
