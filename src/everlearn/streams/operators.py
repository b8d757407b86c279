"""A seed in, a world of invented names for operations on short lists out: new inputs, chains, order, redefinitions.

What the operations do is the same in every world; which invented name does which is what a lesson teaches. Every name
also has a marker, an invented word that calls for it without naming it.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from everlearn.nonce import Lexicon
from everlearn.records import Example
from everlearn.streams.contract import Axis, Family, Lesson, Probe, World, ask, tell
from everlearn.streams.worlds.bridging import groups, reserved, rows_of, within
from everlearn.streams.worlds.drawing import others, repeated, shuffled, to_change, wrong_replies
from everlearn.streams.worlds.list_operations import PRIMITIVES, UNKNOWN, Symbols, dealt, drawn, guess
from everlearn.streams.worlds.named_operations import (
    ASKED,
    ASKED_MARKED,
    BACKWARDS,
    BEFORE,
    CHANGED,
    COMPOSED,
    NOTE,
    SAID,
    SAID_ANEW,
    SAID_MARKED,
    UNHEARD,
    WHICH,
    Operator,
    operands,
    spelt,
    tells,
)

TAUGHT_LENGTHS = (3, 4)
LONGER = 5
INPUTS = 3
"""Inputs shown in each wording, of a name and of a marker."""
DISTRACTORS = 3
"""Notes of other operators in a reading."""
TRIALS = 60
"""To find operators whose chain says anything."""


@dataclass(frozen=True)
class OperatorWorld(World):
    """The operators of a world, and the inputs that its lessons have used up."""

    operators: tuple[Operator, ...]
    seen: frozenset[Symbols]
    together: frozenset[frozenset[str]]
    """Pairs of names that stand in one row of a lesson, which no probe puts together."""

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
        """Each lesson's names spread evenly over the operations, whatever other lessons have; from the second lesson
        on, a quarter as many are redefined."""
        source = random.Random(f"operators world {seed}")
        # A lesson is dealt for itself, so that nobody can tell from what others have taught what is left for it.
        operators = [
            Operator(lexicon.word(), lexicon.word(), lesson, does)
            for lesson in range(lessons)
            for does in dealt([UNKNOWN] * items, source)
        ]
        for lesson in range(1, lessons):
            changed = [at for at, operator in enumerate(operators) if operator.changed >= 0]
            chosen = to_change([operator.lesson for operator in operators], changed, lesson, items, source)
            anew = dealt([operators[at].does for at in chosen], source)
            for at, then in zip(chosen, anew, strict=True):
                operators[at] = replace(operators[at], changed=lesson, then=then)
        seen: set[Symbols] = set()
        free = [operator for operator in operators if operator.changed < 0]
        grouped = [groups([o for o in free if o.lesson == lesson], source) for lesson in range(lessons)]
        taught = tuple(_lesson(operators, lesson, grouped[lesson], seen, source) for lesson in range(lessons))
        names = [tuple(operator.name for operator in group) for each in grouped for group in each]
        return OperatorWorld(tuple(operators), frozenset(seen), reserved(names), lessons=taught)


def _lesson(
    operators: Sequence[Operator],
    lesson: int,
    grouped: list[tuple[Operator, ...]],
    seen: set[Symbols],
    source: random.Random,
) -> Lesson:
    new = [operator for operator in operators if operator.lesson == lesson]
    old = [operator for operator in operators if operator.changed == lesson]
    rows = [row for o in new for row in _rows(o, o.does, (*SAID, *ASKED, *SAID_MARKED, *ASKED_MARKED), seen, source)]
    rows += [row for o in old for row in _rows(o, o.then, (*CHANGED, *ASKED), seen, source)]
    rows += _bridges(grouped, rows_of(len(new)), seen, source)
    source.shuffle(rows)
    notes = [o.write(NOTE) for o in new] + [o.write(SAID_ANEW, does=o.then) for o in old]
    return Lesson(tuple(rows), tuple(notes))


def _rows(
    operator: Operator, does: int, wordings: tuple[str, ...], seen: set[Symbols], source: random.Random
) -> Iterator[Example]:
    """What the operator does, in words and on INPUTS inputs for each wording that has one."""
    for wording in wordings:
        for _ in range(INPUTS if "{x}" in wording else 1):
            x = _taught(seen, source)
            y = PRIMITIVES[does].change(x)
            text = operator.write(wording, x, y, does)
            yield ask(text, " ".join(y)) if wording in (*ASKED, *ASKED_MARKED) else tell(text)


def _bridges(
    grouped: list[tuple[Operator, ...]], count: int, seen: set[Symbols], source: random.Random
) -> Iterator[Example]:
    """Operators of one group put together, as probes ask for others; the kinds by turns."""
    chains = {
        kind: [chain for drawn in within(grouped, operands(kind)) for chain in itertools.permutations(drawn)]
        for kind in COMPOSED
    }
    telling = {
        kind: shuffled([each for each in chains[kind] if tells(kind, each, TAUGHT_LENGTHS)], source)
        for kind in COMPOSED
    }
    kinds = [kind for kind in COMPOSED if telling[kind]]
    for at in range(count if kinds else 0):
        kind, turn = kinds[at % len(kinds)], at // len(kinds)
        chain, x = telling[kind][turn % len(telling[kind])], _taught(seen, source)
        prompt = source.choice(COMPOSED[kind]).format(*(part.name for part in chain), x=" ".join(x))
        yield ask(prompt, spelt(kind, tuple(part.does for part in chain), x))


def _taught(seen: set[Symbols], source: random.Random) -> Symbols:
    """An input for a lesson, which is then `seen`."""
    x = drawn(source, source.choice(TAUGHT_LENGTHS))
    seen.add(x)
    return x


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
            count = operands(kind)
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
        rivals = wrong_replies((" ".join(lists[does]) for does in self._others([operator])), gold)
        return Probe(
            "operators", kind, axis, prompt, gold, operator.key, part, values, options, reading=reading, rivals=rivals
        )

    def _chain(self, kind: str, operator: Operator, pool: list[Operator], count: int) -> Iterator[Probe]:
        """One chain of an operator with others, if some trials find one whose result says anything."""
        x = self._fresh()
        for _ in range(TRIALS):
            chain = self.source.sample([operator, *self.source.sample(pool, count - 1)], count)
            pairs = itertools.combinations([part.name for part in chain], 2)
            if any(frozenset(pair) in self.world.together for pair in pairs):
                continue
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
        right = spelt(kind, does, x)
        # The same operators the other way round is the mistake to tell from the right answer.
        any_other = [does[::-1], *(self.source.choice(every) for _ in range(60))]
        wrong = dict.fromkeys(spelt(kind, each, x) for each in any_other)
        alike = [other for other in wrong if other != right and len(other) == len(right)]
        options = shuffled([right, *alike[:3]], self.source) if len(alike) >= 3 else ()
        prompt = self.source.choice(COMPOSED[kind]).format(*(part.name for part in chain), x=" ".join(x))
        key, atoms = "operators:" + "+".join(part.name for part in chain), tuple(part.key for part in chain)
        parts, reading = tuple(sorted({part.lesson for part in chain})), self._reading(chain)
        one_wrong = [(*does[:at], other, *does[at + 1 :]) for at in range(len(does)) for other in self._others(chain)]
        return Probe(
            "operators", kind, "composition", prompt, right, key, parts, values, options, atoms, explicit, "", reading,
            rivals=wrong_replies((spelt(kind, each, x) for each in one_wrong), right),
        )  # fmt: skip

    def _marked(self, operator: Operator) -> Probe:
        wrong = others(self.world.operators, [operator], 3, self.source)
        options = shuffled([each.name for each in (operator, *wrong)], self.source) if len(wrong) == 3 else ()
        values = max(4, sum(other.lesson == operator.lesson for other in self.world.operators))
        prompt, reading = operator.write(self.source.choice(WHICH)), self._reading([operator])
        key, parts = f"{operator.key}:marker", (operator.lesson,)
        rivals = wrong_replies((other.name for other in self.world.operators), operator.name)
        return Probe(
            "operators",
            "far",
            "far",
            prompt,
            operator.name,
            key,
            parts,
            values,
            options,
            reading=reading,
            rivals=rivals,
        )

    def _others(self, operators: Sequence[Operator]) -> set[int]:
        """What the world's other operators do, at first or later."""
        beside = [other for other in self.world.operators if other not in operators]
        return {does for other in beside for does in (other.does, other.then) if does >= 0}

    def _fresh(self, length: int = 0) -> Symbols:
        """An input of a taught length, unless given, that no lesson has."""
        while True:
            x = drawn(self.source, length or self.source.choice(TAUGHT_LENGTHS))
            if x not in self.world.seen:
                return x

    def _cycle(self, operators: list[Operator]) -> list[Operator]:
        return repeated(operators, self.per_kind, self.source)

    def _reading(self, operators: Sequence[Operator], changed: bool = False) -> tuple[str, ...]:
        beside = others(self.world.operators, operators, DISTRACTORS, self.source)
        wanted = {operator.write(NOTE) for operator in (*operators, *beside)}
        wanted |= {operator.write(SAID_ANEW, does=operator.then) for operator in operators if changed}
        return tuple(note for note in self.notes if note in wanted)
