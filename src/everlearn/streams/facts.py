"""A seed in; facts on invented people, towns and guilds, changes of them, and probes of single and joined facts out.

What a later lesson changes is never asked for as an atom, in reverse or in a composition: only under adapt and scope.
Each lesson teaches its new facts in full, and changes (a quarter as many) on top. It also joins some of its facts in
rows of the forms that probes have (`bridges`); what these join, and what would put the same names together, no probe
asks for.
"""

from __future__ import annotations

import functools
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from everlearn.nonce import Lexicon
from everlearn.streams.contract import Axis, Family, Lesson, Probe, World
from everlearn.streams.worlds.drawing import wrong_replies
from everlearn.streams.worlds.invented_facts import (
    BEFORE,
    CHANGING,
    RELATIONS,
    REVERSE,
    Fact,
    Operands,
    Pair,
    bridge_rows,
    bridges,
    hops,
    spelt,
)

VALUES = 12
"""Towns, guilds and trades of a world; as many guilds as towns, so that each guild has a seat of its own."""
TRADES = tuple("cook farmer teacher doctor driver hunter painter writer soldier judge nurse pilot".split())
DISTRACTORS = 3
UNKNOWN = "unknown"

PERSONAL = ("home", "guild", "mentor", "trade")
"""Of each person three are told, and the fourth never is."""


@dataclass(frozen=True)
class People(World):
    """What is told, and changed, of everybody, by key."""

    told: Mapping[str, Fact]
    changes: Mapping[str, Fact]
    people: Sequence[Sequence[str]]
    """By the lesson that teaches about them."""
    names: Mapping[str, Sequence[str]]
    """By kind of value: all there are. Under `pupil`: those who have a mentor."""
    bridges: Sequence[Pair]
    """Facts that lessons join in a row."""

    def probes(self, seed: int, per_kind: int) -> tuple[Probe, ...]:
        """See `World`."""
        draw = random.Random(f"facts probes {self.names['town'][0]} {seed}")
        stable = [fact for key, fact in self.told.items() if key not in self.changes]
        drawn = self._singles(draw, per_kind, "direct", "atom", stable)
        drawn += self._singles(draw, per_kind, "paraphrase", "atom", stable, held_out=True)
        turned = [(fact,) for fact in stable if fact.relation in REVERSE]
        drawn += [self._reverse(draw, *one) for one in _limited(draw, per_kind, turned)]
        for hop in _limited(draw, per_kind, [(pair.first, pair.second) for pair in hops(stable, self._together)]):
            drawn += [self._hop(draw, "two_hop", *hop), self._hop(draw, "two_hop_explicit", *hop)]
        drawn += self._comparisons(draw, per_kind, stable)
        silent = self._singles(draw, per_kind, "unanswerable", "boundary", self._untold())
        drawn += [replace(probe, values=probe.values + 1, options=()) for probe in silent]
        drawn += self._overwriting(draw, per_kind, stable)
        missing = {key for probe in drawn for key in probe.atoms} - {p.key for p in drawn if p.kind == "direct"}
        atoms = [self.told[key] for key in sorted(missing)]
        return (*drawn, *(self._probe(draw, "direct", "atom", fact.asks(), fact) for fact in atoms))

    def _overwriting(self, draw: random.Random, per_kind: int, stable: list[Fact]) -> list[Probe]:
        news = list(self.changes.values())
        drawn = self._singles(draw, per_kind, "updated", "adapt", news)
        drawn += self._singles(draw, per_kind, "updated_paraphrase", "adapt", news, held_out=True)
        for old, new in _limited(draw, per_kind, [(self.told[new.key], new) for new in news]):
            drawn.append(self._probe(draw, "before_update", "scope", old.worded(BEFORE), old, (old, new)))
        now = hops([self.changes.get(key, fact) for key, fact in self.told.items()], self._together)
        dated = [(pair.first, pair.second) for pair in now if pair.first.dated or pair.second.dated]
        for hop in _limited(draw, per_kind, dated):
            drawn.append(replace(self._hop(draw, "updated_two_hop", *hop), axis="adapt", atoms=()))
        changed = {(new.relation, self.told[new.key].lesson) for new in news}
        near = [fact for fact in stable if (fact.relation, fact.lesson) in changed]
        last = max((new.lesson for new in news), default=0)
        far = [fact for fact in stable if fact.relation not in CHANGING and fact.lesson < last]
        drawn += self._singles(draw, per_kind, "near", "near", near)
        return drawn + self._singles(draw, per_kind, "far", "far", far)

    def _singles(
        self, draw: random.Random, per_kind: int, kind: str, axis: Axis, facts: Sequence[Fact], held_out: bool = False
    ) -> list[Probe]:
        chosen = _limited(draw, per_kind, [(fact,) for fact in facts])
        return [self._probe(draw, kind, axis, fact.asks(held_out), fact) for (fact,) in chosen]

    def _probe(
        self, draw: random.Random, kind: str, axis: Axis, wordings: Sequence[str], fact: Fact, operands: Operands = ()
    ) -> Probe:
        """A question for the value of a fact; the value at another time, if there is one, is among the options."""
        operands = operands or (fact,)
        versions = [facts[fact.key].value for facts in (self.told, self.changes) if fact.key in facts]
        options = self._options(draw, RELATIONS[fact.relation].values, fact.value, fact.subject, versions)
        prompt, parts, reading = draw.choice(wordings), _lessons(operands), self._reading(draw, operands)
        values = self._plausible(fact)
        probe = Probe("facts", kind, axis, prompt, fact.value, fact.key, parts, values, options, reading=reading)
        others = {one.value for one in self._by_relation[fact.relation] if one.subject != fact.subject}
        return _with_rivals(probe, others)

    def _plausible(self, fact: Fact) -> int:
        """How many values are left for somebody who knows everything but the fact's lesson.

        Each town is the seat of one guild: what is known of other lessons' seats rules out their towns, and for reverse
        questions their guilds.
        """
        if fact.relation == "mentor":
            return max(2, sum(map(len, self.people[: fact.lesson + 1])))
        elsewhere = [one for one in self._told_by["seat"] if one.lesson != fact.lesson]
        return max(2, VALUES - len(elsewhere)) if fact.relation == "seat" else VALUES

    def _options(
        self, draw: random.Random, pool: str, gold: str, about: str, versions: Sequence[str] = ()
    ) -> tuple[str, ...]:
        rivals = [value for value in versions if value != gold]
        others = [name for name in self.names[pool] if name not in (gold, about, *rivals)]
        wrong = rivals + draw.sample(others, min(3 - len(rivals), len(others)))
        return tuple(draw.sample([gold, *wrong], 4)) if len(wrong) == 3 else ()

    def _reverse(self, draw: random.Random, fact: Fact) -> Probe:
        probe = self._probe(draw, "reverse", "derived", fact.worded(REVERSE[fact.relation]), fact)
        pool = "pupil" if fact.relation == "mentor" else "guild"
        probe = replace(probe, gold=fact.subject, options=self._options(draw, pool, fact.subject, fact.value))
        return _with_rivals(probe, {one.subject for one in self._by_relation[fact.relation]})

    def _hop(self, draw: random.Random, kind: str, first: Fact, second: Fact) -> Probe:
        pair, explicit = Pair(first, second), kind == "two_hop_explicit"
        probe = self._probe(draw, kind, "composition", pair.asks(explicit), second, (first, second))
        key = f"facts:{first.relation}.{second.relation}:{first.subject}"
        probe = replace(probe, key=key, atoms=(first.key, second.key))
        if not explicit:
            return probe
        elsewhere = {one.value for one in self._by_relation[first.relation] if one.subject != first.subject}
        then = self._by_relation[second.relation]
        wrong = {spelt(first.relation, one.subject, one.value) for one in then if one.subject in elsewhere}
        wrong |= {spelt(first.relation, first.value, one.value) for one in then if one.subject != first.value}
        return _with_rivals(replace(probe, gold=pair.spelt, options=(), explicit=True), wrong)

    def _comparisons(self, draw: random.Random, per_kind: int, stable: list[Fact]) -> list[Probe]:
        """For each last lesson as many pairs with the same value as with different ones, or one more of either."""
        found: dict[int, dict[bool, list[Operands]]] = defaultdict(lambda: {True: [], False: []})
        facts = [fact for fact in stable if fact.relation in CHANGING]
        for fact, same in itertools.product(draw.sample(facts, len(facts)), (True, False)):
            pairs, across = found[fact.lesson][same], draw.random() < 0.5
            if len(pairs) < per_kind:
                others = [other for other in facts if self._comparable(fact, other, same)]
                wanted = [other for other in others if (other.lesson < fact.lesson) == across] or others
                pairs += [(fact, draw.choice(wanted))] if wanted else []
        drawn: list[Probe] = []
        for _, answers in sorted(found.items()):
            turns = zip(*(answers[same] for same in draw.sample([True, False], 2)), strict=False)
            pairs = list(itertools.chain.from_iterable(turns))[:per_kind]
            drawn += [self._comparison(draw, *draw.sample(pair, 2)) for pair in pairs]
        return drawn

    def _comparable(self, fact: Fact, other: Fact, same: bool) -> bool:
        """Whether the two make a pair; not where a row holds both names, as that on one who is the other's mentor."""
        alike = other.relation == fact.relation and (other.value == fact.value) == same
        apart = not self._together & {(fact.subject, other.subject), (other.subject, fact.subject)}
        return alike and apart and other != fact and other.lesson <= fact.lesson

    def _comparison(self, draw: random.Random, one: Fact, other: Fact) -> Probe:
        """Without rivals: of two answers the wrong one tells nothing about where it comes from."""
        pair = Pair(one, other)
        probe = self._probe(draw, "comparison", "composition", pair.asks(), one, (one, other))
        key = f"facts:same_{one.relation}:{one.subject}:{other.subject}"
        return replace(probe, gold=pair.reply, key=key, values=2, options=(), atoms=(one.key, other.key), rivals=())

    def _untold(self) -> list[Fact]:
        """What is asked in vain: of each person what is never told."""
        who = [(person, lesson) for lesson, people in enumerate(self.people) for person in people]
        facts = [Fact(name, person, UNKNOWN, lesson) for person, lesson in who for name in PERSONAL]
        return [fact for fact in facts if fact.key not in self.told]

    def _reading(self, draw: random.Random, operands: Operands) -> tuple[str, ...]:
        """The notes on the operands (or on the person asked about in vain) and on three others."""
        subjects, last = {fact.subject for fact in operands}, max(_lessons(operands))
        needed = [fact for one in operands for fact in (self.told.get(one.key, one), one)]
        if operands[0].value == UNKNOWN:
            needed = [fact for fact in self.told.values() if fact.subject in subjects]
        others = [fact for name in sorted({one.relation for one in operands}) for fact in self._told_by[name]]
        others = [fact for fact in draw.sample(others, min(len(others), 40)) if fact.lesson <= last]
        others = [fact for fact in others if fact.subject not in subjects][:DISTRACTORS]
        return tuple(sorted({fact.note for fact in needed + others}, key=self._places.__getitem__))

    @functools.cached_property
    def _told_by(self) -> dict[str, list[Fact]]:
        return {name: [fact for fact in self.told.values() if fact.relation == name] for name in RELATIONS}

    @functools.cached_property
    def _by_relation(self) -> dict[str, list[Fact]]:
        """With the changes."""
        return {
            name: [*told, *(new for new in self.changes.values() if new.relation == name)]
            for name, told in self._told_by.items()
        }

    @functools.cached_property
    def _together(self) -> set[tuple[str, str]]:
        """Pairs of names that stand in one row."""
        return _together(*self.told.values(), *self.changes.values()) | {pair.ends for pair in self.bridges}

    @functools.cached_property
    def _places(self) -> dict[str, int]:
        return {note: at for at, note in enumerate(note for lesson in self.lessons for note in lesson.notes)}


class Facts(Family):
    """People with homes, guilds, mentors and trades, and the towns in which guilds meet."""

    items = 28

    def world(self, lexicon: Lexicon, seed: int, lessons: int, items: int) -> People:
        """See `Family`. It takes about 30 words, and one for every three things taught."""
        draw = random.Random(f"facts {seed} {lessons} {items}")
        towns, guilds = lexicon.some(VALUES), lexicon.some(VALUES)
        seats = list(zip(guilds, draw.sample(towns, VALUES), strict=True))
        seats_by = [seats[lesson::lessons][: items // 4] for lesson in range(lessons)]
        people = [lexicon.some(-(-(items - len(seats)) // 3)) for seats in seats_by]
        deals = {"home": _dealt(draw, towns), "guild": _dealt(draw, guilds), "trade": _dealt(draw, TRADES)}
        mentors = _mentors(lexicon, people)
        told: list[Fact] = []
        for lesson, named in enumerate(people):
            told += [Fact("seat", *seat, lesson) for seat in seats_by[lesson]]
            for at, person in enumerate(named):
                start, count = (lesson + at) % 4, min(3, items - len(seats_by[lesson]) - 3 * at)
                for name in (PERSONAL * 2)[start : start + count]:
                    told.append(Fact(name, person, next(deals[name]) if name in deals else mentors[person], lesson))
        names: dict[str, Sequence[str]] = {"town": towns, "guild": guilds, "trade": TRADES}
        names["mentor"] = [fact.value for fact in told if fact.relation == "mentor"]
        names["pupil"] = [fact.subject for fact in told if fact.relation == "mentor"]
        changes = _changes(draw, told, deals, lessons, items)
        by_key = {fact.key: fact for fact in told}, {fact.key: fact for fact in changes}
        stable = [fact for fact in told if fact.key not in by_key[1]]
        together, joined, taught = _together(*told, *changes), [], []
        for lesson in range(lessons):
            pairs = bridges(draw, [fact for fact in stable if fact.lesson == lesson], together)
            taught.append(_lesson(draw, [fact for fact in told + changes if fact.lesson == lesson], pairs))
            joined += pairs
        return People(*by_key, people, names, joined, lessons=tuple(taught))


def _dealt(draw: random.Random, values: Sequence[str]) -> Iterator[str]:
    """The values without end, each twice in every round, so soon again that people of one lesson share some."""
    while True:
        order = draw.sample(values, len(values))
        yield order[0]
        for before, value in itertools.pairwise(order):
            yield from (value, before)
        yield order[-1]


def _mentors(lexicon: Lexicon, people: Sequence[Sequence[str]]) -> dict[str, str]:
    """For everybody a mentor of their own: of the same lesson, or as often of another, nearer and farther ones in turn.

    People without a match have a mentor of whom nothing is taught; so has one of two who would be each other's, since
    rows on the one would tell of the other in reverse.
    """
    mentors: dict[str, str] = {}
    taken: set[str] = set()
    for lesson, named in enumerate(people):
        for at, person in enumerate(named):
            away = 1 + at // 4 % (len(people) - 1) if len(people) > 1 and at % 4 in (0, 3) else 0
            there = people[lesson - away]
            mentor = there[(at + 1) % len(there)]
            unfit = mentor in taken or mentor == person or mentors.get(mentor) == person
            mentors[person] = lexicon.word() if unfit else mentor
            taken.add(mentors[person])
    return mentors


def _changes(
    draw: random.Random, told: Sequence[Fact], deals: Mapping[str, Iterator[str]], lessons: int, items: int
) -> list[Fact]:
    """New values, a quarter of `items` in each later lesson, as long as half of each group stays as it was."""
    groups: dict[tuple[str, int], list[Fact]] = defaultdict(list)
    for fact in draw.sample(told, len(told)):
        if fact.relation in CHANGING:
            groups[fact.relation, fact.lesson].append(fact)
    least = {group: -(-len(facts) // 2) if len(facts) > 1 else int(items < 4) for group, facts in groups.items()}
    done: Counter[str] = Counter()
    changes: list[Fact] = []
    for lesson in (lesson for lesson in range(1, lessons) for _ in range(max(1, items // 4))):
        spared = [group for group in groups if group[1] < lesson and len(groups[group]) > least[group]]
        if spared:
            fewest = min(done[name] for name, _ in spared)
            old = groups[draw.choice([group for group in spared if done[group[0]] == fewest])].pop()
            done[old.relation] += 1
            value = next(value for value in deals[old.relation] if value != old.value)
            changes.append(Fact(old.relation, old.subject, value, lesson, dated=True))
    return changes


def _together(*facts: Fact) -> set[tuple[str, str]]:
    """Pairs of names that stand in one row about one of the facts."""
    return {(fact.subject, fact.value) for fact in facts}


def _with_rivals(probe: Probe, replies: Collection[str]) -> Probe:
    """The probe with those of the replies that are wrong."""
    return replace(probe, rivals=wrong_replies(replies, probe.gold))


def _lesson(draw: random.Random, facts: Sequence[Fact], joined: Sequence[Pair]) -> Lesson:
    rows = [row for fact in facts for row in fact.rows()] + bridge_rows(draw, joined)
    return Lesson(tuple(draw.sample(rows, len(rows))), tuple(fact.note for fact in facts))


def _lessons(facts: Operands) -> tuple[int, ...]:
    return tuple(sorted({fact.lesson for fact in facts}))


def _limited(draw: random.Random, count: int, candidates: Sequence[Operands]) -> list[Operands]:
    """At most `count` for each last lesson; those across lessons and those within one take turns."""
    groups: dict[int, tuple[list[Operands], list[Operands]]] = defaultdict(lambda: ([], []))
    for facts in draw.sample(candidates, len(candidates)):
        lessons = _lessons(facts)
        groups[lessons[-1]][len(lessons) == 1].append(facts)
    chosen: list[Operands] = []
    for _, kinds in sorted(groups.items()):
        turns = (facts for pair in itertools.zip_longest(*kinds) for facts in pair if facts)
        chosen += itertools.islice(turns, count)
    return chosen
