"""Two functions in; a call of one within a call of the other, how it is asked for, and how it is answered, out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from everlearn.interpreter import CallError, Value, run
from everlearn.streams.worlds.api_functions import Entry, arguments

NESTED = (
    "write one call: in {0} {1}, then in {2} {3}",
    "nest two calls: in {0} {1}, then in {2} {3}",
)
STEPS = (
    "write both steps: in {0} {1}, then in {2} {3}",
    "one call, then the next: in {0} {1}, then in {2} {3}",
)
IT = "it"
"""Stands for the first result in the second intent."""


@dataclass(frozen=True)
class Nest:
    """A call within a call."""

    inner: Entry
    outer: Entry
    first: tuple[str, ...]
    """Arguments of the inner call."""
    second: tuple[str, ...]
    """Arguments of the outer one, of which that in `place` gives way to the inner call."""
    place: int

    @property
    def entries(self) -> tuple[Entry, Entry]:
        """Both functions, the inner one first."""
        return self.inner, self.outer

    @property
    def whole(self) -> str:
        """Both calls in one."""
        return self.outer.call(self._filled(self.inner.call(self.first)))

    @property
    def value(self) -> Value:
        """What it gives.

        Raises:
            CallError: the outer function does not take what the inner one gives.
        """
        return run(self.whole, {entry.name: entry.function for entry in self.entries}).value

    def ask(self, explicit: bool, source: random.Random) -> str:
        """A question for it; `explicit` for both calls, one after the other."""
        wanted = self.inner.intent(self.first), self.outer.intent(self._filled(IT))
        wording = source.choice(STEPS if explicit else NESTED)
        return wording.format(self.inner.module, wanted[0], self.outer.module, wanted[1])

    def reply(self, explicit: bool) -> str:
        """The answer to it."""
        return f"first {self.inner.call(self.first)}, then {self.whole}" if explicit else self.whole

    def mistaken(self, others: list[Entry], explicit: bool) -> set[str]:
        """Replies in which one of the two functions is taken for another one."""
        wrong = [each for other in others for each in (replace(self, inner=other), replace(self, outer=other))]
        return {nest.reply(explicit) for nest in wrong}

    def _filled(self, text: str) -> list[str]:
        return [text if at == self.place else argument for at, argument in enumerate(self.second)]


def nest(pair: Sequence[Entry], source: random.Random, taught: bool) -> Nest | None:
    """One of the two within the other, on arguments of lessons or of probes; None if they do not fit this time."""
    inner, outer = source.sample(pair, 2)
    first, second = (arguments(entry.function.operation, source, taught) for entry in (inner, outer))
    found = Nest(inner, outer, first, second, source.randrange(2))
    try:
        return None if found.value == () else found
    except CallError:
        return None
