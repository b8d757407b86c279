"""A seed in, a world of invented programming libraries out: calls from intents, results, nesting, and second versions.

What the operations do and how people ask for them is the same in every world; which function of which module does it,
and in which order it takes its two arguments, is what a lesson teaches.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from everlearn.interpreter import show
from everlearn.nonce import Lexicon
from everlearn.records import Example
from everlearn.streams.contract import Axis, Family, Lesson, Probe, World, ask, tell
from everlearn.streams.worlds.api_functions import (
    ASKED,
    MEANING,
    NEWS,
    OLD,
    ON_LISTS,
    PHRASINGS,
    RESULTS,
    SAID,
    UNHEARD,
    WRONG,
    Entry,
    arguments,
)
from everlearn.streams.worlds.bridging import groups, reserved, rows_of, within
from everlearn.streams.worlds.drawing import others, repeated, shuffled, to_change, wrong_replies
from everlearn.streams.worlds.growing_modules import functions
from everlearn.streams.worlds.nested_calls import Nest, nest

INPUTS = PHRASINGS
"""Arguments shown in each wording, each with other words for what is wanted."""
DISTRACTORS = 3
"""Notes of other functions in a reading."""
TRIALS = 60
"""To find two functions that fit."""


@dataclass(frozen=True)
class LibraryWorld(World):
    """The functions of a world's modules."""

    entries: tuple[Entry, ...]
    together: frozenset[frozenset[str]]
    """Pairs of names that stand in one row of a lesson, which no probe puts together."""

    def probes(self, seed: int, per_kind: int) -> tuple[Probe, ...]:
        """At most `per_kind` probes of each kind and last lesson, then the atoms of compositions that were left out."""
        draw = _Draw(self, per_kind, random.Random(f"library probes {seed}"))
        found: list[Probe] = []
        for lesson in range(len(self.lessons)):
            found += [*draw.single(lesson), *draw.composed(lesson), *draw.changed(lesson)]
        named = dict.fromkeys(key for probe in found for key in probe.atoms)
        there = {probe.key for probe in found if probe.axis == "atom"}
        missing = [entry for entry in self.entries if entry.key in named and entry.key not in there]
        return (*found, *(draw.call("call", "atom", entry) for entry in missing))


class Library(Family):
    """Modules of up to twelve functions, one for each operation, to which one lesson after the other adds."""

    items = 8

    def world(self, lexicon: Lexicon, seed: int, lessons: int, items: int) -> LibraryWorld:
        """Modules that grow; from the second lesson on, a quarter as many earlier functions get a second version."""
        source = random.Random(f"library world {seed}")
        entries = functions(lexicon, lessons, items, source)
        for lesson in range(1, lessons):
            changed = [at for at, entry in enumerate(entries) if entry.changed >= 0]
            chosen = to_change([entry.lesson for entry in entries], changed, lesson, items, source)
            for count, at in enumerate(chosen, start=len(changed) + seed):
                then = lexicon.word() if count % 2 else entries[at].name
                entries[at] = replace(entries[at], changed=lesson, then=then)
        grouped = [
            groups([entry for entry in entries if entry.lesson == lesson and entry.changed < 0], source)
            for lesson in range(lessons)
        ]
        taught = tuple(_lesson(entries, lesson, grouped[lesson], source) for lesson in range(lessons))
        names = [tuple(entry.name for entry in group) for each in grouped for group in each]
        return LibraryWorld(tuple(entries), reserved(names), lessons=taught)


def _lesson(entries: Sequence[Entry], lesson: int, grouped: list[tuple[Entry, ...]], source: random.Random) -> Lesson:
    new = [entry for entry in entries if entry.lesson == lesson]
    old = [entry for entry in entries if entry.changed == lesson]
    rows = [tell(entry.write(wording)) for entry in new for wording in SAID[:2]]
    rows += [row for entry in new for row in _worked(entry, source)]
    for entry in old:
        rows += [tell(entry.second.write(wording, old=entry.name)) for wording in NEWS[entry.kind]]
        rows += _worked(entry.second, source)
    rows += _bridges(grouped, rows_of(len(new)), source)
    source.shuffle(rows)
    return Lesson(tuple(rows), (*(entry.note for entry in new), *(entry.news for entry in old)))


def _worked(entry: Entry, source: random.Random) -> Iterator[Example]:
    """Rows with arguments: the call for an intent, and the intent of a call."""
    for wording in (SAID[2], *ASKED, MEANING):
        for phrasing in range(INPUTS):
            given = arguments(entry.function.operation, source, taught=True)
            text = entry.write(wording, given, phrasing)
            reply = entry.intent(given) if wording == MEANING else entry.call(given)
            yield tell(text) if wording == SAID[2] else ask(text, reply)


def _bridges(grouped: list[tuple[Entry, ...]], count: int, source: random.Random) -> Iterator[Example]:
    """Two functions of one group, one call within the other, as probes ask for others; spelt out by turns."""
    pairs = shuffled(within(grouped, 2), source)
    for at in range(count if pairs else 0):
        pair = pairs[at // 2 % len(pairs)]
        found = next(filter(None, (nest(pair, source, taught=True) for _ in range(TRIALS))), None)
        if found:
            yield ask(found.ask(at % 2 == 1, source), found.reply(at % 2 == 1))


class _Draw:
    """Draws probes of a world; only of functions with one version, unless the second version is the question."""

    def __init__(self, world: LibraryWorld, per_kind: int, source: random.Random) -> None:
        self.world, self.per_kind, self.source = world, per_kind, source
        self.free = [entry for entry in world.entries if entry.changed < 0]
        self.notes = [note for lesson in world.lessons for note in lesson.notes]

    def single(self, lesson: int) -> Iterator[Probe]:
        """One function: its call for an intent, in unheard words, what a call gives, and which call is wrong."""
        own = [entry for entry in self.free if entry.lesson == lesson]
        yield from (self.call("call", "atom", entry) for entry in self._cycle(own))
        yield from (self._paraphrase(entry) for entry in self._cycle(own))
        open_ones = [entry for entry in own if self._left(entry) > 1]
        yield from (self._about("result", "derived", entry, RESULTS) for entry in self._cycle(open_ones))
        for at, entry in enumerate(self._cycle(own)):
            yield from self._wrong(entry, at)

    def composed(self, lesson: int) -> Iterator[Probe]:
        """A call within a call, one of the two taught in `lesson`; across and within lessons by turns."""
        own = [entry for entry in self.free if entry.lesson == lesson]
        earlier = [entry for entry in self.free if entry.lesson < lesson]
        for explicit in (False, True):
            for at, entry in enumerate(self._cycle(own)):
                pool = earlier if at % 2 == 0 and earlier else [other for other in own if other is not entry]
                yield from self._nested(entry, pool, explicit)

    def changed(self, lesson: int) -> Iterator[Probe]:
        """Second versions that `lesson` brings, and the first; and its own functions beside one that ever changes."""
        old = [entry for entry in self.world.entries if entry.changed == lesson]
        for kind in NEWS:
            chosen = self._cycle([entry for entry in old if entry.kind == kind])
            yield from (self.call(kind, "adapt", entry) for entry in chosen)
        yield from (self.call("in_v1", "scope", entry, OLD) for entry in self._cycle(old))
        touched = {entry.module for entry in self.world.entries if entry.changed >= 0}
        beside = [entry for entry in self.free if entry.lesson == lesson and entry.module in touched]
        yield from (self.call("near", "near", entry) for entry in self._cycle(beside))
        open_ones = [entry for entry in beside if self._left(entry) > 1]
        yield from (self._about("far", "far", entry, (MEANING,)) for entry in self._cycle(open_ones))

    def call(self, kind: str, axis: Axis, entry: Entry, wordings: tuple[str, ...] = ASKED) -> Probe:
        """What to write for an intent; under axis `adapt` in the second version, else in the first."""
        given = self._fresh(entry)
        now = entry.second if axis == "adapt" else entry
        # The wrong name: of a renamed function the other of its two, else that of one taught beside it, so that nobody
        # can leave it out who knows all other lessons.
        wrong = [mate.name for mate in shuffled(self._mates(entry), self.source)[:1]]
        if entry.changed >= 0 and entry.kind == "renamed":
            wrong = [entry.name if axis == "adapt" else entry.then]
        # Nobody who has missed the lesson knows a new name, even the only one of its module: four are the least.
        # Nor does such a person know what a second version changes: the name and the order of the arguments may each be
        # as before or not. (Who is told that it is the order has one answer left, and who is told nothing keeps to the
        # old call, so that two would be right for neither.)
        values = 4 if axis == "adapt" else 2 * self._names(entry)
        prompt = entry.write(self.source.choice(wordings), given, self.source.randrange(PHRASINGS))
        parts = {"adapt": (entry.changed,), "scope": (entry.lesson, entry.changed)}.get(axis, (entry.lesson,))
        options, reading = self._calls(now, wrong, given), self._reading([entry], axis in ("adapt", "scope"))
        return Probe(
            "library", kind, axis, prompt, now.call(given), entry.key, parts, values, options, reading=reading,
            rivals=wrong_replies(self._other_calls(entry, given), now.call(given)),
        )  # fmt: skip

    def _paraphrase(self, entry: Entry) -> Probe:
        given = self._fresh(entry)
        call, prompt = entry.call(given), entry.write(self.source.choice(UNHEARD), given)
        gold = self._check([entry], entry.value(given))
        values, reading = 2 * self._names(entry), self._reading([entry])
        return Probe(
            "library", "call_paraphrase", "atom", prompt, gold, entry.key, (entry.lesson,), values, reading=reading,
            grade="evaluates", reply=call, rivals=wrong_replies(self._other_calls(entry, given), call),
        )  # fmt: skip

    def _about(self, kind: str, axis: Axis, entry: Entry, wordings: tuple[str, ...]) -> Probe:
        """What a call gives, or what it does: which of the operations on lists it is."""
        given = arguments(entry.function.operation, self.source, taught=False, telling=kind == "result")
        could = [replace(entry, function=replace(entry.function, operation=operation)) for operation in ON_LISTS]
        replies = [each.value(given) if kind == "result" else each.intent(given) for each in could]
        by_operation = dict(zip(ON_LISTS, replies, strict=True))
        gold = by_operation[entry.function.operation]
        elsewhere = {other.function.operation for other in self.world.entries if other.key != entry.key}
        rivals = wrong_replies((by_operation[operation] for operation in ON_LISTS if operation in elsewhere), gold)
        prompt, parts, values = entry.write(self.source.choice(wordings), given), (entry.lesson,), self._left(entry)
        return Probe(
            "library", kind, axis, prompt, gold, entry.key, parts, values, reading=self._reading([entry]), rivals=rivals
        )

    def _wrong(self, entry: Entry, at: int) -> Iterator[Probe]:
        """Two calls: the right one, and one turned round or, every other pair of times, of another new function."""
        given = self._fresh(entry)
        mates = [other.name for other in self._mates(entry) if other.changed < 0]
        right, wrong = entry.call(given), entry.call(given, swapped=True)
        if mates and at % 4 >= 2:
            wrong = replace(entry, name=self.source.choice(mates)).call(given)
        one, two = (right, wrong) if at % 2 else (wrong, right)
        prompt = entry.write(self.source.choice(WRONG), given, one=one, two=two)
        gold = "second" if at % 2 else "first"
        reading = self._reading([entry])
        yield Probe("library", "spot_wrong", "derived", prompt, gold, entry.key, (entry.lesson,), 2, reading=reading)

    def _nested(self, entry: Entry, pool: list[Entry], explicit: bool) -> Iterator[Probe]:
        """A call of one function within a call of another, if some trials find two that fit."""
        pool = [other for other in pool if frozenset({entry.name, other.name}) not in self.world.together]
        for _ in range(TRIALS if pool else 0):
            if found := nest((entry, self.source.choice(pool)), self.source, taught=False):
                yield self._composition(found, explicit)
                return

    def _composition(self, found: Nest, explicit: bool) -> Probe:
        entries, reply = found.entries, found.reply(explicit)
        parts = tuple(sorted({entry.lesson for entry in entries}))
        key, atoms = "library:" + "+".join(entry.name for entry in entries), tuple(entry.key for entry in entries)
        # Somebody who has missed the last lesson knows what the other has taught, and that no function does both.
        last = [entry for entry in entries if entry.lesson == parts[-1]]
        one_less = len(last) == 2 and last[0].module == last[1].module
        values = math.prod(2 * (self._names(entry) - (one_less and entry is last[1])) for entry in last)
        grade, gold = ("exact", reply) if explicit else ("evaluates", self._check(entries, show(found.value)))
        beside = [version for other in self.world.entries if other not in entries for version in _versions(other)]
        return Probe(
            "library", "nested_explicit" if explicit else "nested", "composition", found.ask(explicit, self.source),
            gold, key, parts, values, (), atoms, explicit, "", self._reading(entries), grade,
            "" if explicit else reply, wrong_replies(found.mistaken(beside, explicit), reply),
        )  # fmt: skip

    def _check(self, entries: Sequence[Entry], value: str) -> str:
        """The argument of the check `evaluates`: the modules as they are in the end, the value, and the functions."""
        modules = {entry.module for entry in entries}
        last = [
            entry.second if entry.changed >= 0 else entry for entry in self.world.entries if entry.module in modules
        ]
        functions = {entry.name: [entry.function.operation, list(entry.function.order)] for entry in last}
        return json.dumps({"functions": functions, "value": value, "uses": [entry.name for entry in entries]})

    def _calls(self, entry: Entry, wrong: list[str], given: tuple[str, ...]) -> tuple[str, ...]:
        """The right name and a wrong one, each with its arguments in each order; nothing if there is no wrong one."""
        both = [replace(entry, name=name) for name in (entry.name, *wrong)] if wrong else []
        return shuffled([each.call(given, swapped) for each in both for swapped in (False, True)], self.source)

    def _other_calls(self, entry: Entry, given: tuple[str, ...]) -> list[str]:
        """Calls of the world's other functions, at first or later, with these arguments."""
        beside = [other for other in self.world.entries if other.key != entry.key]
        return [version.call(given) for other in beside for version in _versions(other)]

    def _module(self, entry: Entry) -> list[Entry]:
        return [other for other in self.world.entries if other.module == entry.module]

    def _mates(self, entry: Entry) -> list[Entry]:
        """Other functions that the same lesson adds to the module."""
        return [other for other in self._module(entry) if other.lesson == entry.lesson and other.key != entry.key]

    def _names(self, entry: Entry) -> int:
        """Functions that the lesson adds to the module, the others being known; four at least."""
        return max(4, 1 + len(self._mates(entry)))

    def _left(self, entry: Entry) -> int:
        """Of a function on lists, what it may do by what other lessons have taught of the module; none of another."""
        taken = {other.function.operation for other in self._module(entry) if other.lesson != entry.lesson}
        return len(set(ON_LISTS) - taken) if entry.function.operation in ON_LISTS else 0

    def _fresh(self, entry: Entry) -> tuple[str, ...]:
        """Arguments that no lesson has."""
        return arguments(entry.function.operation, self.source, taught=False)

    def _cycle(self, entries: list[Entry]) -> list[Entry]:
        return repeated(entries, self.per_kind, self.source)

    def _reading(self, entries: Sequence[Entry], changed: bool = False) -> tuple[str, ...]:
        beside = others(self.world.entries, entries, DISTRACTORS, self.source)
        wanted = {entry.note for entry in (*entries, *beside)}
        wanted |= {entry.news for entry in entries if changed}
        return tuple(note for note in self.notes if note in wanted)


def _versions(entry: Entry) -> tuple[Entry, ...]:
    return (entry, entry.second) if entry.changed >= 0 else (entry,)
