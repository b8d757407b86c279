"""A name, a module and an operation in; how calls of the function are written, and how people ask for them, out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from everlearn.interpreter import OPERATIONS, Function, Value, apply, run, show


class Wanted(NamedTuple):
    """How people ask for an operation; {0} and {1} are its parameters."""

    intent: str
    """The words that notes and answers use."""
    also: tuple[str, str]
    """Other words that lessons use."""
    unheard: str
    """In words that no lesson uses."""


INTENTS = {
    "take": Wanted(
        "take the first {1} of {0}",
        ("give {1} from the front of {0}", "cut {0} down to its first {1}"),
        "from {0} give only the {1} at the front",
    ),
    "drop": Wanted(
        "drop the first {1} of {0}",
        ("leave out {1} from the front of {0}", "cut the first {1} off {0}"),
        "leave out the {1} at the front of {0}",
    ),
    "last": Wanted(
        "keep the last {1} of {0}",
        ("give {1} from the end of {0}", "cut {0} down to its last {1}"),
        "from {0} give only the {1} at the end",
    ),
    "pick": Wanted(
        "pick entry {1} of {0}",
        ("say what is at place {1} of {0}", "give what stands in {0} at {1}"),
        "what stands at place {1} in {0}",
    ),
    "append": Wanted(
        "put {1} behind {0}",
        ("write one more at the end of {0}: {1}", "let {0} end with {1}"),
        "make {0} end with one more: {1}",
    ),
    "prepend": Wanted(
        "put {1} before {0}",
        ("write one more at the start of {0}: {1}", "let {0} start with {1}"),
        "make {0} start with one more: {1}",
    ),
    "add": Wanted(
        "add {1} to each of {0}",
        ("make each of {0} larger by {1}", "let all in {0} grow by {1}"),
        "make all in {0} larger by {1}",
    ),
    "remove": Wanted(
        "remove {1} from {0}",
        ("take {1} out of {0}", "give {0} without {1}"),
        "{0} without the {1}",
    ),
    "find": Wanted(
        "find {1} in {0}",
        ("say at what place of {0} is {1}", "tell where {1} stands in {0}"),
        "at what place does {1} stand in {0}",
    ),
    "turn": Wanted(
        "turn {0} by {1}",
        ("move {1} from the front of {0} to the end", "let the first {1} of {0} go to the end"),
        "move the first {1} of {0} to the end",
    ),
    "subtract": Wanted(
        "subtract {1} from {0}",
        ("take {1} away from {0}", "make {0} less by {1}"),
        "{0} less {1}",
    ),
    "count": Wanted(
        "count from {0} to {1}",
        ("list all numbers from {0} up to {1}", "go up from {0} to {1}"),
        "all numbers that go from {0} up to {1}",
    ),
}
"""By operation of `everlearn.interpreter`."""

PHRASINGS = 3
"""Ways in which lessons say what is wanted."""

ON_LISTS = tuple(operation for operation in INTENTS if OPERATIONS[operation][0] == "list number")


# Wordings: {module}, {sign} and {plain} speak of the function, {intent}, {unheard} and {call} of one call.
SAID = ("{module} has {sign}: {plain}.", "to {plain} in {module}, write {sign}.", "in {module}, {intent} is {call}.")
ASKED = (
    "in {module}, write the call: {intent}",
    "{module}: {intent}",
    "which {module} call is this: {intent}?",
    "use {module} to {intent}.",
    "what call of {module} does this: {intent}?",
    "{intent}: how is it done in {module}?",
)
MEANING = "what does {call} do in {module}?"
UNHEARD = (
    "what call does {module} need? {unheard}",
    "the code in {module} for this: {unheard}",
    "with {module}, how is it done: {unheard}?",
    "a {module} call, please: {unheard}",
)
RESULTS = ("in {module}, what is {call}?", "what does {call} give in {module}?")
WRONG = (
    "which {module} call is wrong, first or second? {intent}: {one}; {two}",
    "first or second, which {module} call is wrong? {intent}: {one}; {two}",
)
NEWS = {
    "renamed": (
        "in {module} v2, {old} is now {sign}: {plain}.",
        "{module} v2 says {sign} for {old}: {plain}.",
    ),
    "swapped": (
        "in {module} v2, it is now {sign}: {plain}.",
        "{module} v2 turns it round to {sign}: {plain}.",
    ),
}
"""By what changes."""
OLD = ("in {module} v1, write the call: {intent}", "{module} v1: {intent}")


@dataclass(frozen=True)
class Entry:
    """One function of a module, with its second version where it has one."""

    name: str
    module: str
    lesson: int
    function: Function
    changed: int = -1
    """The later lesson that brings the second version; below zero where none does."""
    then: str = ""
    """Its name from there on; the same as before where its arguments are swapped."""

    @property
    def key(self) -> str:
        """As probes are paired by it."""
        return f"library:{self.name}"

    @property
    def kind(self) -> str:
        """What changes."""
        return "swapped" if self.then == self.name else "renamed"

    @property
    def second(self) -> Entry:
        """As it is from version 2 on."""
        order = self.function.order[::-1] if self.kind == "swapped" else self.function.order
        return replace(self, name=self.then, function=replace(self.function, order=order))

    @property
    def note(self) -> str:
        """What its lesson says of it."""
        return self.write(SAID[0])

    @property
    def news(self) -> str:
        """The statement that brings the second version."""
        return self.second.write(NEWS[self.kind][0], old=self.name)

    def call(self, arguments: Sequence[str], swapped: bool = False) -> str:
        """The call on these arguments, in the operation's own order; `swapped` turns round what the function wants."""
        placed = self.function.arranged(tuple(arguments))
        return f"{self.name}({', '.join(placed[::-1] if swapped else placed)})"

    def intent(self, arguments: Sequence[str], phrasing: int = 0) -> str:
        """What somebody wants who writes this call, in one of PHRASINGS ways that lessons use."""
        wanted = INTENTS[self.function.operation]
        return (wanted.intent, *wanted.also)[phrasing].format(*arguments)

    def value(self, arguments: Sequence[str]) -> str:
        """What the call gives, as it is written."""
        return show(run(self.call(arguments), {self.name: self.function}).value)

    def write(self, template: str, arguments: Sequence[str] = ("", ""), phrasing: int = 0, /, **words: str) -> str:
        """A template filled in for these arguments; {sign} and {plain} speak of arguments in general."""
        roles = ("list", "number") if self.function.operation in ON_LISTS else ("a", "b")
        return template.format(
            module=self.module,
            sign=self.call(roles),
            plain=self.intent(roles),
            call=self.call(arguments),
            intent=self.intent(arguments, phrasing),
            unheard=INTENTS[self.function.operation].unheard.format(*arguments),
            **words,
        )


def arguments(operation: str, source: random.Random, taught: bool, telling: bool = False) -> tuple[str, ...]:
    """Arguments that an operation takes; those whose digits add up to a multiple of three are not `taught`.

    Every operation of ON_LISTS can be done on a list and a number. With `telling`, each of them gives something else.
    """
    while True:
        if operation in ON_LISTS:
            number, length = source.choice((1, 1, 2, 2, 3)), source.choice((3, 4))
            others = [digit for digit in range(1, 10 - number) if digit != number]
            entries = source.sample([number, *source.sample(others, length - 1)], length)
            values: tuple[Value, ...] = (tuple(entries), number)
            good = number < length and (not telling or len(results(values)) == len(ON_LISTS))
        else:
            entries = sorted(source.sample(range(1, 10), 2), reverse=operation == "subtract")
            values, number, good = tuple(entries), 0, True
        if good and taught == ((sum(entries) + number) % 3 != 0):
            return tuple(show(value) for value in values)


def results(values: tuple[Value, ...]) -> set[str]:
    """What the operations on lists give on a list and a number."""
    return {show(apply(operation, values)) for operation in ON_LISTS}
