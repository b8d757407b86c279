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

from everlearn.api_functions import (
    ASKED,
    INTENTS,
    MEANING,
    NEWS,
    OLD,
    ON_LISTS,
    RESULTS,
    SAID,
    UNHEARD,
    WRONG,
    Entry,
    arguments,
)
from everlearn.drawing import others, repeated, shuffled, to_change
from everlearn.interpreter import CallError, Function, Value, run, show
from everlearn.nonce import Lexicon
from everlearn.records import Example
from everlearn.streams.contract import Axis, Family, Lesson, Probe, World, ask, tell

INPUTS = 4
"""Arguments shown in each wording."""
DISTRACTORS = 3
"""Notes of other functions in a reading."""

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
class LibraryWorld(World):
    """The functions of a world's modules."""

    entries: tuple[Entry, ...]

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
    """Modules of up to twelve functions, one for each operation."""

    items = 8

    def world(self, lexicon: Lexicon, seed: int, lessons: int, items: int) -> LibraryWorld:
        """New modules in each lesson; from the second on, a quarter as many earlier functions get a second version."""
        source = random.Random(f"library world {seed}")
        entries: list[Entry] = []
        for lesson in range(lessons):
            for start in range(0, items, len(INTENTS)):
                entries += _module(lexicon, lesson, min(items - start, len(INTENTS)), source)
        for lesson in range(1, lessons):
            changed = [at for at, entry in enumerate(entries) if entry.changed >= 0]
            chosen = to_change([entry.lesson for entry in entries], changed, lesson, items, source)
            for count, at in enumerate(chosen, start=len(changed) + seed):
                then = lexicon.word() if count % 2 else entries[at].name
                entries[at] = replace(entries[at], changed=lesson, then=then)
        return LibraryWorld(
            tuple(entries), lessons=tuple(_lesson(entries, lesson, source) for lesson in range(lessons))
        )


def _module(lexicon: Lexicon, lesson: int, size: int, source: random.Random) -> list[Entry]:
    """So many functions of a new module, half of them with their arguments turned round."""
    name = lexicon.word()
    orders = source.sample([(0, 1), (1, 0)] * size, 2 * size)[:size]
    operations = source.sample(list(INTENTS), size)
    return [
        Entry(lexicon.word(), name, lesson, Function(operation, order))
        for operation, order in zip(operations, orders, strict=True)
    ]


def _lesson(entries: Sequence[Entry], lesson: int, source: random.Random) -> Lesson:
    new = [entry for entry in entries if entry.lesson == lesson]
    old = [entry for entry in entries if entry.changed == lesson]
    rows = [tell(entry.write(wording)) for entry in new for wording in SAID[:2]]
    rows += [row for entry in new for row in _worked(entry, source)]
    for entry in old:
        rows += [tell(entry.second.write(wording, old=entry.name)) for wording in NEWS[entry.kind]]
        rows += _worked(entry.second, source)
    source.shuffle(rows)
    return Lesson(tuple(rows), (*(entry.note for entry in new), *(entry.news for entry in old)))


def _worked(entry: Entry, source: random.Random) -> Iterator[Example]:
    """Rows with arguments: the call for an intent, and the intent of a call."""
    for wording in (SAID[2], *ASKED, MEANING):
        for _ in range(INPUTS):
            given = arguments(entry.function.operation, source, taught=True)
            text, reply = entry.write(wording, given), entry.intent(given) if wording == MEANING else entry.call(given)
            yield tell(text) if wording == SAID[2] else ask(text, reply)


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
        on_lists = [entry for entry in own if entry.function.operation in ON_LISTS]
        yield from (self._about("result", "derived", entry, RESULTS) for entry in self._cycle(on_lists))
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
        on_lists = [entry for entry in beside if entry.function.operation in ON_LISTS]
        yield from (self._about("far", "far", entry, (MEANING,)) for entry in self._cycle(on_lists))

    def call(self, kind: str, axis: Axis, entry: Entry, wordings: tuple[str, ...] = ASKED) -> Probe:
        """What to write for an intent; under axis `adapt` in the second version, else in the first."""
        given = self._fresh(entry)
        now = entry.second if axis == "adapt" else entry
        # The wrong name: of a renamed function the other of its two, else any other function's.
        wrong = [other.name for other in others(self.world.entries, [entry], 1, self.source)]
        if entry.changed >= 0 and entry.kind == "renamed":
            wrong = [entry.name if axis == "adapt" else entry.then]
        values = {"renamed": max(4, self._names(entry)), "swapped": 2}.get(kind, 2 * max(4, self._names(entry)))
        prompt, gold = entry.write(self.source.choice(wordings), given), now.call(given)
        parts = {"adapt": (entry.changed,), "scope": (entry.lesson, entry.changed)}.get(axis, (entry.lesson,))
        options = self._calls(now, wrong, given)
        reading = self._reading([entry], axis in ("adapt", "scope"))
        return Probe("library", kind, axis, prompt, gold, entry.key, parts, values, options, reading=reading)

    def _paraphrase(self, entry: Entry) -> Probe:
        given = self._fresh(entry)
        call, prompt = entry.call(given), entry.write(self.source.choice(UNHEARD), given)
        gold = self._check([entry], run(call, {entry.name: entry.function}).value)
        values, reading = 2 * max(4, self._names(entry)), self._reading([entry])
        kind, graded = "call_paraphrase", "evaluates"
        return Probe(
            "library",
            kind,
            "atom",
            prompt,
            gold,
            entry.key,
            (entry.lesson,),
            values,
            reading=reading,
            grade=graded,
            reply=call,
        )

    def _about(self, kind: str, axis: Axis, entry: Entry, wordings: tuple[str, ...]) -> Probe:
        """What a call gives, or what it does: which of the operations on lists it is."""
        given = arguments(entry.function.operation, self.source, taught=False, telling=kind == "result")
        value = show(run(entry.call(given), {entry.name: entry.function}).value)
        gold = value if kind == "result" else entry.intent(given)
        prompt = entry.write(self.source.choice(wordings), given)
        reading = self._reading([entry])
        return Probe("library", kind, axis, prompt, gold, entry.key, (entry.lesson,), len(ON_LISTS), reading=reading)

    def _wrong(self, entry: Entry, at: int) -> Iterator[Probe]:
        """Two calls: the right one, and one turned round or, every other pair of times, of another function."""
        given = self._fresh(entry)
        mates = [other.name for other in self.free if other.module == entry.module and other.name != entry.name]
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
        for _ in range(60 if pool else 0):
            inner, outer = self.source.sample([entry, self.source.choice(pool)], 2)
            first, second = self._fresh(inner), self._fresh(outer)
            place = self.source.randrange(2)
            call = inner.call(first)
            whole = outer.call([call if at == place else text for at, text in enumerate(second)])
            try:
                value = run(whole, {each.name: each.function for each in (inner, outer)}).value
            except CallError:
                continue
            if value != ():
                words = (
                    inner.intent(first),
                    outer.intent([IT if at == place else text for at, text in enumerate(second)]),
                )
                yield self._composition((inner, outer), words, (call, whole), value, explicit)
                return

    def _composition(
        self, entries: tuple[Entry, Entry], words: tuple[str, str], calls: tuple[str, str], value: Value, explicit: bool
    ) -> Probe:
        parts = tuple(sorted({entry.lesson for entry in entries}))
        wordings = STEPS if explicit else NESTED
        prompt = self.source.choice(wordings).format(entries[0].module, words[0], entries[1].module, words[1])
        key, atoms = "library:" + "+".join(entry.name for entry in entries), tuple(entry.key for entry in entries)
        # Somebody who has missed the last lesson knows what the other has taught.
        values = math.prod(2 * max(4, self._names(entry)) for entry in entries if entry.lesson == parts[-1])
        if explicit:
            kind, gold, grade, reply = "nested_explicit", f"first {calls[0]}, then {calls[1]}", "exact", ""
        else:
            kind, gold, grade, reply = "nested", self._check(entries, value), "evaluates", calls[1]
        reading = self._reading(entries)
        return Probe(
            "library",
            kind,
            "composition",
            prompt,
            gold,
            key,
            parts,
            values,
            (),
            atoms,
            explicit,
            "",
            reading,
            grade,
            reply,
        )

    def _check(self, entries: Sequence[Entry], value: Value) -> str:
        """The argument of the check `evaluates`: the modules as they are in the end, the value, and the functions."""
        modules = {entry.module for entry in entries}
        last = [
            entry.second if entry.changed >= 0 else entry for entry in self.world.entries if entry.module in modules
        ]
        functions = {entry.name: [entry.function.operation, list(entry.function.order)] for entry in last}
        return json.dumps({"functions": functions, "value": show(value), "uses": [entry.name for entry in entries]})

    def _calls(self, entry: Entry, wrong: list[str], given: tuple[str, ...]) -> tuple[str, ...]:
        """The right name and a wrong one, each with its arguments in each order; nothing if there is no wrong one."""
        both = [replace(entry, name=name) for name in (entry.name, *wrong)] if wrong else []
        return shuffled([each.call(given, swapped) for each in both for swapped in (False, True)], self.source)

    def _names(self, entry: Entry) -> int:
        """Functions of the module."""
        return sum(other.module == entry.module for other in self.world.entries)

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
