"""A call such as `balori((5, 2, 7), 2)` and what its functions mean in; its value and the functions it used out.

Nothing is handed to Python's own interpreter: a call is read by a parser of a few lines, with bounds on its length, its
depth and the size of every value. The language has numbers, single letters, lists of them in round or square brackets,
and calls; white space means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Entry = int | str
Value = int | str | tuple[Entry, ...]

LONGEST_TEXT = 400
"""Characters."""
DEEPEST = 8
"""Brackets and calls within each other."""
LONGEST_LIST = 40
LARGEST = 9_999
"""Of numbers written out, and of results, either side of zero."""

TOKEN = re.compile(r"[a-z]+|[0-9]+|[(),\[\]]")
CLOSING = {"(": ")", "[": "]"}


@dataclass(frozen=True)
class Function:
    """What an invented name stands for."""

    operation: str
    """A name in OPERATIONS."""
    order: tuple[int, ...]
    """For each place in the call, the parameter of the operation that stands there: (1, 0) for turned-round."""

    def arranged(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """What to write in the call's places, from the operation's parameters in their own order."""
        return tuple(values[parameter] for parameter in self.order)


@dataclass(frozen=True)
class Outcome:
    """What running a call gave."""

    value: Value
    used: tuple[str, ...]
    """Names of the functions that ran, in the order in which they did."""


class CallError(ValueError):
    """A text that is no call of the language, or a call that has no value."""


def run(text: str, functions: Mapping[str, Function]) -> Outcome:
    """The value of an expression in which every name before a bracket is one of `functions`.

    Raises:
        CallError: it cannot be read, goes beyond a bound, or a function is unknown or does not take what it is given.
    """
    if len(text) > LONGEST_TEXT:
        raise CallError(f"longer than {LONGEST_TEXT} characters")
    if TOKEN.sub("", text).strip():
        raise CallError(f"characters that mean nothing: {TOKEN.sub('', text).strip()[:20]!r}")
    reader = _Reader(TOKEN.findall(text), functions)
    value = reader.expression(0)
    if reader.rest:
        raise CallError(f"something follows the end: {reader.rest[-1]!r}")
    return Outcome(value, tuple(reader.used))


def apply(operation: str, values: tuple[Value, ...]) -> Value:
    """What an operation gives, its parameters in their own order.

    Raises:
        CallError: no such operation, or it does not take these values.
    """
    if operation not in OPERATIONS:
        raise CallError(f"no operation {operation!r}")
    parameters, function = OPERATIONS[operation]
    if [_type(value) for value in values] != parameters.split():
        raise CallError(f"{operation} takes {parameters}")
    result: Value = function(*values)
    if _size(result) > LARGEST or (isinstance(result, tuple) and len(result) > LONGEST_LIST):
        raise CallError(f"{operation} gives too much")
    return result


def show(value: Value) -> str:
    """A value as it is written in calls and answers: `5`, `k`, `(5, 2)`."""
    return f"({', '.join(map(str, value))})" if isinstance(value, tuple) else str(value)


@dataclass
class _Reader:
    """Reads tokens from the left and works out values on the way."""

    tokens: list[str]
    functions: Mapping[str, Function]
    used: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rest = self.tokens[::-1]
        """Tokens still to read, the next one last."""

    def expression(self, depth: int) -> Value:
        """A call, a list, a number or a letter."""
        if depth > DEEPEST:
            raise CallError(f"deeper than {DEEPEST}")
        token = self._take()
        if token in CLOSING:
            return tuple(_entry(value) for value in self._sequence(CLOSING[token], depth))
        if token.isdecimal() and int(token) <= LARGEST:
            return int(token)
        if token.isalpha() and self.rest and self.rest[-1] == "(":
            self._take()
            return self._called(token, tuple(self._sequence(")", depth)))
        if token.isalpha() and len(token) == 1:
            return token
        raise CallError(f"{token!r} has no value")

    def _called(self, name: str, arguments: tuple[Value, ...]) -> Value:
        if name not in self.functions:
            raise CallError(f"no function {name!r}")
        function = self.functions[name]
        if len(arguments) != len(function.order):
            raise CallError(f"{name} takes {len(function.order)} arguments")
        self.used.append(name)
        placed = dict(zip(function.order, arguments, strict=True))
        return apply(function.operation, tuple(placed[parameter] for parameter in sorted(placed)))

    def _sequence(self, closing: str, depth: int) -> list[Value]:
        """What stands between an opening bracket, already read, and its closing one."""
        values: list[Value] = []
        if self.rest and self.rest[-1] == closing:
            self._take()
            return values
        while True:
            values.append(self.expression(depth + 1))
            mark = self._take()
            if mark == closing:
                return values
            if mark != ",":
                raise CallError(f"{mark!r} where a comma or {closing!r} belongs")

    def _take(self) -> str:
        if not self.rest:
            raise CallError("it breaks off")
        return self.rest.pop()


def _entry(value: Value) -> Entry:
    if isinstance(value, tuple):
        raise CallError("a list within a list")
    return value


def _type(value: Value) -> str:
    return "number" if isinstance(value, int) else "list" if isinstance(value, tuple) else "letter"


def _size(value: Value) -> int:
    entries = value if isinstance(value, tuple) else (value,)
    return max((abs(entry) for entry in entries if isinstance(entry, int)), default=0)


def _first(entries: tuple[Entry, ...], count: int) -> tuple[Entry, ...]:
    return entries[: _place(entries, count)]


def _without_first(entries: tuple[Entry, ...], count: int) -> tuple[Entry, ...]:
    return entries[_place(entries, count) :]


def _last(entries: tuple[Entry, ...], count: int) -> tuple[Entry, ...]:
    return entries[-_place(entries, count) :]


def _turned(entries: tuple[Entry, ...], count: int) -> tuple[Entry, ...]:
    at = _place(entries, count)
    return entries[at:] + entries[:at]


def _pick(entries: tuple[Entry, ...], place: int) -> Entry:
    return entries[_place(entries, place) - 1]


def _find(entries: tuple[Entry, ...], wanted: int) -> int:
    return entries.index(_held(entries, wanted)) + 1


def _remove(entries: tuple[Entry, ...], wanted: int) -> tuple[Entry, ...]:
    at = entries.index(_held(entries, wanted))
    return entries[:at] + entries[at + 1 :]


def _add(entries: tuple[Entry, ...], addend: int) -> tuple[Entry, ...]:
    if not all(isinstance(entry, int) for entry in entries):
        raise CallError("letters cannot be added to")
    return tuple(entry + addend for entry in entries if isinstance(entry, int))


def _count(first: int, last: int) -> tuple[Entry, ...]:
    if not 0 < last - first < LONGEST_LIST:
        raise CallError("counting goes up, and not far")
    return tuple(range(first, last + 1))


def _place(entries: tuple[Entry, ...], place: int) -> int:
    if not 1 <= place <= len(entries):
        raise CallError(f"no place {place} in a list of {len(entries)}")
    return place


def _held(entries: tuple[Entry, ...], wanted: int) -> int:
    if wanted not in entries:
        raise CallError(f"{wanted} is not in the list")
    return wanted


OPERATIONS: dict[str, tuple[str, Callable[..., Value]]] = {
    "take": ("list number", _first),
    "drop": ("list number", _without_first),
    "last": ("list number", _last),
    "pick": ("list number", _pick),
    "append": ("list number", lambda entries, number: (*entries, number)),
    "prepend": ("list number", lambda entries, number: (number, *entries)),
    "add": ("list number", _add),
    "remove": ("list number", _remove),
    "find": ("list number", _find),
    "turn": ("list number", _turned),
    "subtract": ("number number", lambda number, less: number - less),
    "count": ("number number", _count),
}
"""By name: the types of the parameters, and what it does. The first place of a list is number 1."""
