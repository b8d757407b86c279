"""A seed in, a world of invented names for operations on short lists out: new inputs, chains, order, redefinitions.

What the operations do is the same in every world; which invented name does which is what a lesson teaches. Every name
also has a marker, an invented word that calls for it without naming it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from everlearn.drawing import others, repeated, shuffled, to_change
from everlearn.list_operations import ALPHABETS, PRIMITIVES, UNKNOWN, Symbols, chained, guess
from everlearn.nonce import Lexicon
from everlearn.records import Example
from everlearn.streams.contract import Axis, Family, Lesson, Probe, World, ask, tell

TAUGHT_LENGTHS = (3, 4)
LONGER = 5
INPUTS = 3
"""Inputs shown in each wording."""
DISTRACTORS = 3
"""Notes of other operators in a reading."""

SAID = ("{name} {phrase}.", "what {name} does: it {phrase}.", "{name} of {x} is {y}.")
ASKED = ("{name} {x}", "use {name} on {x}.", "what is {name} of {x}?", "apply {name}: {x}", "{x} under {name} becomes")
UNHEARD = (
    "what does {name} make of {x}?",
    "{x}: now do {name}.",
    "run {name} with {x}.",
    "give the {name} form of {x}.",
)
MARKED = "lists marked {marker} get {name}."
ASKED_MARKED = ("the list {x} is marked {marker}. what does it become?", "{x}, marked {marker}, becomes")
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


@dataclass(frozen=True)
class OperatorWorld(World):
    """The operators of a world, and the inputs that its lessons have used up."""

    operators: tuple[Operator, ...]
    seen: frozenset[Symbols]

    def probes(self, seed: int, per_kind: int) -> tuple[Probe, ...]:
        """At most `per_kind` probes of each kind and last lesson, then the atoms of compositions that were left out."""
        draw = _Draw(self, per_kind, random.Random(f"operators probes {seed}"))
        found: list[Probe] = []
        for lesson in range(len(self.lessons)):
            found += [*draw.single(lesson), *draw.cues(lesson), *draw.composed(lesson), *draw.changed(lesson)]
        named = dict.fromkeys(key for probe in found for key in probe.atoms)
        there = {probe.key for probe in found if probe.axis == "atom"}
        missing = [operator for operator in self.operators if operator.key in named and operator.key not in there]
        return (*found, *(draw.applied("unseen", "atom", ASKED, operator) for operator in missing))


class Operators(Family):
    """Names for operations on lists of letters or digits."""

    items = 8

    def world(self, lexicon: Lexicon, seed: int, lessons: int, items: int) -> OperatorWorld:
        """Names spread evenly over the operations; from the second lesson on, a quarter as many are redefined."""
        source = random.Random(f"operators world {seed}")
        blocks = range(-(-lessons * items // len(PRIMITIVES)))
        does = [at for _ in blocks for at in source.sample(range(len(PRIMITIVES)), len(PRIMITIVES))]
        operators = [Operator(lexicon.word(), lexicon.word(), at // items, does[at]) for at in range(lessons * items)]
        for lesson in range(1, lessons):
            changed = [at for at, operator in enumerate(operators) if operator.changed >= 0]
            for at in to_change([operator.lesson for operator in operators], changed, lesson, items, source):
                used = Counter(operator.then for operator in operators)
                then = min(source.sample(range(len(PRIMITIVES)), len(PRIMITIVES)), key=lambda does: used[does])
                if then == operators[at].does:
                    then = source.choice([other for other in range(len(PRIMITIVES)) if other != then])
                operators[at] = replace(operators[at], changed=lesson, then=then)
        seen: set[Symbols] = set()
        taught = tuple(_lesson(operators, lesson, seen, source) for lesson in range(lessons))
        return OperatorWorld(tuple(operators), frozenset(seen), lessons=taught)


def _lesson(operators: Sequence[Operator], lesson: int, seen: set[Symbols], source: random.Random) -> Lesson:
    new = [operator for operator in operators if operator.lesson == lesson]
    old = [operator for operator in operators if operator.changed == lesson]
    rows = [row for operator in new for row in _rows(operator, operator.does, SAID, seen, source)]
    rows += [row for operator in new for row in _marker_rows(operator, seen, source)]
    rows += [row for operator in old for row in _rows(operator, operator.then, CHANGED, seen, source)]
    source.shuffle(rows)
    notes = [o.write(NOTE) for o in new] + [o.write(SAID_ANEW, does=o.then) for o in old]
    return Lesson(tuple(rows), tuple(notes))


def _rows(
    operator: Operator, does: int, said: tuple[str, ...], seen: set[Symbols], source: random.Random
) -> Iterator[Example]:
    """What the operator does, in words and on INPUTS inputs for each wording that has one."""
    for wording in (*said, *ASKED):
        for _ in range(INPUTS if "{x}" in wording else 1):
            x = _input(source, source.choice(TAUGHT_LENGTHS))
            seen.add(x)
            y = PRIMITIVES[does].change(x)
            text = operator.write(wording, x, y, does)
            yield ask(text, " ".join(y)) if wording in ASKED else tell(text)


def _marker_rows(operator: Operator, seen: set[Symbols], source: random.Random) -> Iterator[Example]:
    yield tell(operator.write(MARKED))
    for wording in ASKED_MARKED:
        for _ in range(INPUTS - 1):
            x = _input(source, source.choice(TAUGHT_LENGTHS))
            seen.add(x)
            yield ask(operator.write(wording, x), " ".join(PRIMITIVES[operator.does].change(x)))


def _input(source: random.Random, length: int) -> Symbols:
    """Different symbols of one alphabet; digits a third of the time."""
    return tuple(source.sample(ALPHABETS[source.random() < 1 / 3], length))


class _Draw:
    """Draws probes of a world; only of operators that no lesson redefines, unless the redefinition is the question."""

    def __init__(self, world: OperatorWorld, per_kind: int, source: random.Random) -> None:
        self.world, self.per_kind, self.source = world, per_kind, source
        self.free = [operator for operator in world.operators if operator.changed < 0]
        self.notes = [note for lesson in world.lessons for note in lesson.notes]

    def single(self, lesson: int) -> Iterator[Probe]:
        """One operator: on unseen inputs, in unheard wordings, on longer inputs, and backwards."""
        own = [operator for operator in self.free if operator.lesson == lesson]
        yield from (self.applied("unseen", "atom", ASKED, operator) for operator in self._cycle(own))
        yield from (self.applied("paraphrase", "atom", UNHEARD, operator) for operator in self._cycle(own))
        yield from (self.applied("longer", "derived", ASKED, operator, LONGER) for operator in self._cycle(own))
        for operator in self._cycle([operator for operator in own if PRIMITIVES[operator.does].undo]):
            x = self._fresh()
            lists = [primitive.undo(x) if primitive.undo else () for primitive in PRIMITIVES]
            prompt = operator.write(self.source.choice(BACKWARDS), x)
            yield self._probe("inverse", "derived", prompt, operator, lists, operator.does)

    def cues(self, lesson: int) -> Iterator[Probe]:
        """Pairs on the same input: the operator named, and only called for by its marker."""
        for operator in self._cycle([operator for operator in self.free if operator.lesson == lesson]):
            x = self._fresh()
            named = self.applied("cued", "atom", ASKED, operator, x=x)
            marked = self.applied("uncued", "derived", ASKED_MARKED, operator, x=x)
            yield from (replace(named, cue="cued"), replace(marked, cue="uncued"))

    def composed(self, lesson: int) -> Iterator[Probe]:
        """Two or three operators, the last of them taught in `lesson`; across and within lessons by turns."""
        own = [operator for operator in self.free if operator.lesson == lesson]
        earlier = [operator for operator in self.free if operator.lesson < lesson]
        for kind in COMPOSED:
            count = COMPOSED[kind][0].count("{") - 1
            for at, operator in enumerate(self._cycle(own)):
                within = [other for other in own if other is not operator]
                pool = earlier if at % 2 == 0 and len(earlier) >= count - 1 else within
                if len(pool) >= count - 1:
                    yield from self._chain(kind, operator, pool, count)

    def changed(self, lesson: int) -> Iterator[Probe]:
        """What `lesson` redefines, before and after; and its own operators beside one that is ever redefined."""
        kinds: tuple[tuple[str, Axis, tuple[str, ...]], ...] = (
            ("redefined", "adapt", ASKED),
            ("redefined_paraphrase", "adapt", UNHEARD),
            ("before_redefinition", "scope", BEFORE),
        )
        old = [operator for operator in self.world.operators if operator.changed == lesson]
        for kind, axis, wordings in kinds:
            yield from (self.applied(kind, axis, wordings, operator) for operator in self._cycle(old))
        if any(operator.lesson == lesson and operator.changed >= 0 for operator in self.world.operators):
            beside = [operator for operator in self.free if operator.lesson == lesson]
            yield from (self.applied("near", "near", ASKED, operator) for operator in self._cycle(beside))
            yield from (self._marked(operator) for operator in self._cycle(beside))

    def applied(
        self, kind: str, axis: Axis, wordings: tuple[str, ...], operator: Operator, length: int = 0, x: Symbols = ()
    ) -> Probe:
        """One operator on an input that no lesson has; of a redefined one, the new way under axis `adapt`."""
        x = x or self._fresh(length)
        prompt = operator.write(self.source.choice(wordings), x)
        does = operator.then if axis == "adapt" else operator.does
        return self._probe(kind, axis, prompt, operator, [primitive.change(x) for primitive in PRIMITIVES], does)

    def _probe(self, kind: str, axis: Axis, prompt: str, operator: Operator, lists: list[Symbols], right: int) -> Probe:
        """A probe whose answer is one of `lists`, one for each primitive, empty where it does not apply."""
        alike = [other for other in lists if len(other) == len(lists[right]) and other != lists[right]]
        gold, *wrong = (" ".join(each) for each in (lists[right], *self.source.sample(alike, 3)))
        parts = {"adapt": (operator.changed,), "scope": (operator.lesson, operator.changed)}
        # Somebody who knows that a redefinition changes something can leave one answer out.
        values, part = len({*lists} - {()}) - (axis in parts), parts.get(axis, (operator.lesson,))
        options, reading = shuffled([gold, *wrong], self.source), self._reading([operator], axis in parts)
        return Probe("operators", kind, axis, prompt, gold, operator.key, part, values, options, reading=reading)

    def _chain(self, kind: str, operator: Operator, pool: list[Operator], count: int) -> Iterator[Probe]:
        """One chain of an operator with others, if some trials find one whose result says anything."""
        x = self._fresh()
        for _ in range(20):
            chain = self.source.sample([operator, *self.source.sample(pool, count - 1)], count)
            # Somebody who has missed the last lesson knows what the others have taught.
            last = max(part.lesson for part in chain)
            known = tuple(UNKNOWN if part.lesson == last else part.does for part in chain)
            likely = guess(known, len(x), kind == "chain_explicit", kind == "order")
            if tuple(part.does for part in chain) in likely.chains:
                yield self._composition(kind, chain, x, likely.values)
                return

    def _composition(self, kind: str, chain: list[Operator], x: Symbols, values: int) -> Probe:
        explicit, does = kind == "chain_explicit", tuple(part.does for part in chain)
        every = guess((UNKNOWN,) * len(chain), len(x), explicit, kind == "order").chains
        right = _spelt(does, x, explicit)
        drawn = [_spelt(self.source.choice(every), x, explicit) for _ in range(60)]
        # The same operators the other way round is the mistake to tell from the right answer.
        wrong = dict.fromkeys([_spelt(does[::-1], x, explicit), *drawn])
        alike = [other for other in wrong if other != right and len(other) == len(right)]
        options = shuffled([right, *alike[:3]], self.source) if len(alike) >= 3 else ()
        prompt = self.source.choice(COMPOSED[kind]).format(*(part.name for part in chain), x=" ".join(x))
        key, atoms = "operators:" + "+".join(part.name for part in chain), tuple(part.key for part in chain)
        parts, reading = tuple(sorted({part.lesson for part in chain})), self._reading(chain)
        return Probe(
            "operators", kind, "composition", prompt, right, key, parts, values, options, atoms, explicit, "", reading
        )

    def _marked(self, operator: Operator) -> Probe:
        wrong = others(self.world.operators, [operator], 3, self.source)
        options = shuffled([each.name for each in (operator, *wrong)], self.source) if len(wrong) == 3 else ()
        values = max(4, sum(other.lesson == operator.lesson for other in self.world.operators))
        prompt, reading = operator.write(self.source.choice(WHICH)), self._reading([operator])
        key, parts = f"{operator.key}:marker", (operator.lesson,)
        return Probe("operators", "far", "far", prompt, operator.name, key, parts, values, options, reading=reading)

    def _fresh(self, length: int = 0) -> Symbols:
        """An input of a taught length, unless given, that no lesson has."""
        while True:
            x = _input(self.source, length or self.source.choice(TAUGHT_LENGTHS))
            if x not in self.world.seen:
                return x

    def _cycle(self, operators: list[Operator]) -> list[Operator]:
        return repeated(operators, self.per_kind, self.source)

    def _reading(self, operators: Sequence[Operator], changed: bool = False) -> tuple[str, ...]:
        beside = others(self.world.operators, operators, DISTRACTORS, self.source)
        wanted = {operator.write(NOTE) for operator in (*operators, *beside)}
        wanted |= {operator.write(SAID_ANEW, does=operator.then) for operator in operators if changed}
        return tuple(note for note in self.notes if note in wanted)


def _spelt(does: tuple[int, ...], x: Symbols, explicit: bool) -> str:
    """The list after all operations; spelt out, the list after each of two."""
    texts = [" ".join(symbols) for symbols in chained(does, x)]
    return f"first {texts[0]}, then {texts[1]}" if explicit else texts[-1]
