"""A seed in; invented labels for conjunctions of common attributes, and probes of single and several ones, out.

The labels of a lesson differ in one attribute, the *lead*, and share the others that decide; every lesson uses the same
values of the lead. So the lead is enough within a lesson, and useless between a label and its match in another lesson.
"""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from everlearn.drawing import others, repeated, to_change
from everlearn.errors import SettingsError
from everlearn.nonce import Lexicon
from everlearn.records import Example
from everlearn.streams.contract import Axis, Family, Lesson, Probe, World, ask, of_world, tell

Traits = dict[str, str]
"""Attributes and their values, in the order of ATTRIBUTES."""

ATTRIBUTES = {
    "colour": "red blue green yellow black white".split(),
    "shape": "round square flat long thin wide".split(),
    "size": "tiny small short tall large huge".split(),
    "pattern": "plain striped dotted checked spotted wavy".split(),
    "material": "wood glass stone metal paper cotton".split(),
    "weather": "wet dry hot cold warm cool".split(),
}
"""Six attributes of six values each; that no value belongs to two attributes is tested."""
VALUES = 6
INPUTS = 10
"""Descriptions for each label and each wording that has one."""
DETAILS = (1, 2, 2)
"""Attributes that do not decide in a description, as often as they stand here."""

DEFINITIONS = ("a {label} is {both}.", "{label} means {both}.")
DEFINE = "what is a {label}?"
TOLD = "a {d} thing is a {label}."
ASKED = ("what is a {d} thing?", "name a {d} thing", "a {d} thing is called", "label: {d}")
UNSEEN = (
    "which label has a {d} thing?",
    "i see a {d} thing. name it",
    "what do you call a {d} thing?",
    "{d} thing: name",
)
"""Wordings that no lesson uses."""
EITHER = ("is a {d} thing a {a} or a {b}?", "{a} or {b}: what is a {d} thing?")
EITHER_EXPLICIT = ("is a {d} thing a {a} or a {b}? first say why", "{a} or {b}? first say why: a {d} thing")
TWO = ("name two things: a {d} thing; a {e} thing", "label both: {d}; {e}")
HAS = ("what {attribute} has a {label}?", "{label}: which {attribute}?")
RENAMED = ("from now on a {old} is called {label}.", "the new name of {old} is {label}.")
RENAME = "what is the new name of {old}?"
FORMERLY = ("by the old name, what is a {d} thing?", "before the change, name a {d} thing")


@dataclass(frozen=True)
class Label:
    """An invented word for everything that has certain traits, and the word that a later lesson puts in its place."""

    word: str
    traits: tuple[tuple[str, str], ...]
    """Attribute and value of what decides, in the order of ATTRIBUTES."""
    lesson: int
    renamed: str = ""
    renamed_in: int = -1

    @property
    def key(self) -> str:
        """The thing that probes ask about."""
        return f"classes:{self.word}"

    @property
    def meaning(self) -> str:
        """The values that decide."""
        return " and ".join(value for _, value in self.traits)

    @property
    def notes(self) -> dict[int, str]:
        """What lessons say of it, in short, by lesson."""
        notes = {self.lesson: f"{self.word}: {self.meaning}."}
        return notes | ({self.renamed_in: f"{self.word} is now called {self.renamed}."} if self.renamed else {})


def describe(draw: random.Random, label: Label, unseen: bool) -> str:
    """Values of a thing with this label, those that decide among others, in random order.

    A description is kept for probes (`unseen`) where its details add up to a multiple of three.
    """
    deciding = dict(label.traits)
    others = [name for name in ATTRIBUTES if name not in deciding]
    while True:
        details = draw.sample(others, min(draw.choice(DETAILS), len(others)))
        places = [draw.randrange(VALUES) for _ in details]
        if (sum(places) % 3 == 0) == unseen:
            values = [ATTRIBUTES[name][place] for name, place in zip(details, places, strict=True)]
            return " ".join(draw.sample([*deciding.values(), *values], len(deciding) + len(values)))


@dataclass(frozen=True)
class ClassesWorld(World):
    """Labels, no two of which fit the same thing."""

    name: str
    """An invented word; it stands before every text."""
    labels: tuple[Label, ...]
    lead: str
    """The attribute that tells the labels of a lesson apart."""

    def probes(self, seed: int, per_kind: int) -> tuple[Probe, ...]:
        """See `World`."""
        draw = random.Random(f"classes probes {self.labels[0].word} {seed}")
        found: dict[tuple[str, int], dict[str, Probe]] = defaultdict(dict)
        for lesson in range(len(self.lessons)):
            for draws in (self._singles, self._choices, self._two, self._overwriting):
                for probe in draws(draw, lesson, per_kind):
                    group = found[probe.kind, probe.lesson]
                    if len(group) < per_kind:
                        group[probe.prompt] = probe
        kept = [probe for group in found.values() for probe in group.values()]
        missing = {key for probe in kept for key in probe.atoms} - {p.key for p in kept if p.kind == "union"}
        unions = (self._named(draw, "union", "atom", label, ASKED) for label in self.labels if label.key in missing)
        return tuple(replace(probe, prompt=f"{self.name}: {probe.prompt}") for probe in (*kept, *unions))

    @property
    def _count(self) -> int:
        """Names that an answer can be; at least two, so that a guesser is never certain."""
        return max(2, len(self.labels) + sum(bool(label.renamed) for label in self.labels))

    def _stable(self, lesson: int | None = None) -> list[Label]:
        return [label for label in self.labels if not label.renamed and lesson in (None, label.lesson)]

    def _named(self, draw: random.Random, kind: str, axis: Axis, label: Label, wordings: Sequence[str]) -> Probe:
        """A probe that shows one thing and wants its label; of kind `renamed`, the new one."""
        prompt = draw.choice(wordings).format(d=describe(draw, label, unseen=True))
        gold = label.renamed if kind == "renamed" else label.word
        changed = {"renamed": (label.renamed_in,), "before_rename": (label.lesson, label.renamed_in)}
        parts, reading = changed.get(kind, (label.lesson,)), self._reading(draw, [label])
        options = self._options(draw, label)
        return Probe("classes", kind, axis, prompt, gold, label.key, parts, self._count, options, reading=reading)

    def _options(self, draw: random.Random, label: Label) -> tuple[str, ...]:
        """Four names, none more often offered than others; a renamed label's both, with both of another such one."""
        own = [name for name in (label.word, label.renamed) if name]
        alike = [other for other in self.labels if bool(other.renamed) == bool(label.renamed)]
        drawn = others(alike if len(alike) > 1 else self._stable(), [label], 3, draw)
        names = [name for other in drawn for name in (other.word, other.renamed) if name]
        return tuple(draw.sample([*own, *names][:4], 4)) if len(own) + len(names) >= 4 else ()

    def _reading(self, draw: random.Random, labels: Sequence[Label]) -> tuple[str, ...]:
        """The notes on these labels and, where there are so many, on three others, as they stand in the lessons."""
        noted = [*labels, *others(self._stable(), labels, 3, draw)]
        wanted = {f"{self.name}: {note}" for label in noted for note in label.notes.values()}
        return tuple(note for lesson in self.lessons for note in lesson.notes if note in wanted)

    def _singles(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        asked = repeated(self._stable(lesson), count, draw)
        return [
            *(self._named(draw, "union", "atom", label, ASKED) for label in asked),
            *(self._named(draw, "paraphrase", "atom", label, UNSEEN) for label in asked),
            *(self._trait(draw, "describe", "derived", label) for label in asked),
        ]

    def _trait(self, draw: random.Random, kind: str, axis: Axis, label: Label) -> Probe:
        """A probe of one trait of a label."""
        attribute, value = draw.choice(label.traits)
        prompt = draw.choice(HAS).format(attribute=attribute, label=label.word)
        wrong = [other for other in ATTRIBUTES[attribute] if other != value]
        options = tuple(draw.sample([value, *draw.sample(wrong, 3)], 4))
        reading = self._reading(draw, [label])
        return Probe("classes", kind, axis, prompt, value, label.key, (label.lesson,), VALUES, options, reading=reading)

    def _choices(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        """Is it this or that: two labels of this lesson, or one of an earlier lesson with the same lead."""
        found = []
        here = self._stable(lesson)
        for label in repeated(here, count, draw):
            lead = dict(label.traits)[self.lead]
            alike = [o for o in self._stable() if o.lesson < lesson and dict(o.traits)[self.lead] == lead]
            if sibling := others(here, [label], 1, draw):
                pair = draw.sample([label, *sibling], 2)
                found.append(self._choice(draw, "within", "derived", pair))
            if alike:
                pair = draw.sample([label, draw.choice(alike)], 2)
                # knowing one of the two labels is enough to choose: two things are asked about, but not together
                found.append(self._choice(draw, "cross", "derived", pair))
                found.append(self._choice(draw, "cross_explicit", "derived", pair))
        return found

    def _choice(self, draw: random.Random, kind: str, axis: Axis, pair: Sequence[Label]) -> Probe:
        """A probe that shows a thing with one of two labels and offers both."""
        label, explicit = draw.choice(pair), kind.endswith("explicit")
        wording = draw.choice(EITHER_EXPLICIT if explicit else EITHER)
        prompt = wording.format(d=describe(draw, label, unseen=True), a=pair[0].word, b=pair[1].word)
        probe = replace(self._both(draw, kind, axis, pair), prompt=prompt, gold=label.word, values=2)
        if not explicit:
            return probe
        return replace(probe, gold=f"so {label.word}", reply=f"{label.meaning}, so {label.word}", grade="ends_with")

    def _both(self, draw: random.Random, kind: str, axis: Axis, pair: Sequence[Label]) -> Probe:
        """A probe of two labels: it shows a thing of each and wants the names of both."""
        first, second = (describe(draw, label, unseen=True) for label in pair)
        prompt = draw.choice(TWO).format(d=first, e=second)
        atoms = tuple(label.key for label in pair) if axis == "composition" else ()
        key, parts = "+".join(sorted(label.key for label in pair)), tuple(sorted({label.lesson for label in pair}))
        gold, values = f"{pair[0].word} and {pair[1].word}", self._count * (self._count - 1)
        explicit, reading = kind.endswith("explicit"), self._reading(draw, pair)
        return Probe("classes", kind, axis, prompt, gold, key, parts, values, (), atoms, explicit, "", reading)

    def _two(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        """Two things to name: both of this lesson, or the other one of an earlier lesson."""
        here = self._stable(lesson)
        earlier = [label for label in self._stable() if label.lesson < lesson]
        found = []
        for kind, mates in (("both", earlier), ("both_within", here)):
            for label in repeated(here, count, draw):
                if mate := others(mates, [label], 1, draw):
                    pair = draw.sample([label, *mate], 2)
                    found.append(self._both(draw, kind, "composition", pair))
        return found

    def _overwriting(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        """What this lesson has renamed, by the new and by the old name, and what it has not touched."""
        found = []
        for label in repeated([label for label in self.labels if label.renamed_in == lesson], count, draw):
            found.append(self._named(draw, "renamed", "adapt", label, (*ASKED, *UNSEEN)))
            found.append(self._named(draw, "before_rename", "scope", label, FORMERLY))
            near = self._stable(label.lesson)
            far = [other for other in self._stable() if other.lesson < lesson]
            found += [self._named(draw, "near", "near", draw.choice(near), ASKED)] if near else []
            found += [self._trait(draw, "far", "far", draw.choice(far))] if far else []
        return found


class Classes(Family):
    """Labels learnt a few at a time, which must then be told apart from all others."""

    items = 4

    def world(self, lexicon: Lexicon, seed: int, lessons: int, items: int) -> ClassesWorld:
        """See `Family`.

        Raises:
            SettingsError: more labels than conjunctions.
        """
        draw = random.Random(f"classes {seed} {lessons} {items}")
        conjunctions, lead = _conjunctions(draw, lessons, items)
        name = lexicon.word()
        labels = [Label(lexicon.word(), traits, at // items) for at, traits in enumerate(conjunctions)]
        for later in range(1, lessons):
            changed = [at for at, label in enumerate(labels) if label.renamed]
            for at in to_change([label.lesson for label in labels], changed, later, items, draw):
                labels[at] = replace(labels[at], renamed=lexicon.word(), renamed_in=later)
        taught = tuple(of_world(name, _lesson(draw, labels, lesson)) for lesson in range(lessons))
        return ClassesWorld(name, tuple(labels), lead, lessons=taught)


def _conjunctions(draw: random.Random, lessons: int, items: int) -> tuple[list[tuple[tuple[str, str], ...]], str]:
    """Traits of every label, lesson by lesson, and the lead: as few deciding attributes as give enough labels."""
    blocks = -(-items // VALUES)
    enough = [count for count in range(2, len(ATTRIBUTES)) if VALUES ** (count - 1) >= lessons * blocks]
    if not enough:
        raise SettingsError(
            f"classes: {lessons} lessons of {items} labels are more than there are conjunctions of attributes",
            f"ask for at most {VALUES ** (len(ATTRIBUTES) - 1)} labels",
        )
    lead, *rest = draw.sample(list(ATTRIBUTES), enough[0])
    shared = draw.sample(list(itertools.product(*(ATTRIBUTES[name] for name in rest))), lessons * blocks)
    leads = draw.sample(ATTRIBUTES[lead], min(items, VALUES))
    found = []
    for lesson in range(lessons):
        own = itertools.product(shared[lesson * blocks : (lesson + 1) * blocks], leads)
        for values, value in itertools.islice(own, items):
            traits = dict(zip(rest, values, strict=True)) | {lead: value}
            found.append(tuple((name, traits[name]) for name in ATTRIBUTES if name in traits))
    return found, lead


def _lesson(draw: random.Random, labels: Sequence[Label], lesson: int) -> Lesson:
    taught = [label for label in labels if label.lesson == lesson]
    renamed = [label for label in labels if label.renamed_in == lesson]
    rows: list[Example] = []
    for label in taught:
        rows += [tell(wording.format(label=label.word, both=label.meaning)) for wording in DEFINITIONS]
        rows += [ask(DEFINE.format(label=label.word), label.meaning), *_shown(draw, label, label.word)]
    for label in renamed:
        rows += [tell(wording.format(old=label.word, label=label.renamed)) for wording in RENAMED]
        rows += [ask(RENAME.format(old=label.word), label.renamed), *_shown(draw, label, label.renamed)]
    return Lesson(tuple(rows), tuple(label.notes[lesson] for label in (*taught, *renamed)))


def _shown(draw: random.Random, label: Label, word: str) -> list[Example]:
    """Things that have the label, under this name of it."""
    rows = [tell(TOLD.format(d=describe(draw, label, unseen=False), label=word)) for _ in range(INPUTS)]
    for wording in ASKED:
        rows += [ask(wording.format(d=describe(draw, label, unseen=False)), word) for _ in range(INPUTS)]
    return rows
