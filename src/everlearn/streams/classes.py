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

from everlearn.nonce import Lexicon
from everlearn.records import Example
from everlearn.streams.contract import Axis, Family, Lesson, Probe, World, ask, of_world, tell
from everlearn.streams.worlds.drawing import others, repeated, shuffled, to_change, wrong_replies
from everlearn.streams.worlds.invented_labels import ATTRIBUTES, Label, conjunctions, describe, values_left

INPUTS = 10
"""Descriptions for each label and each wording that has one."""
BRIDGES = 24
"""Rows of each lesson on two of its own labels, in the wordings that bring two lessons' labels together."""

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
class ClassesWorld(World):
    """Labels, no two of which fit the same thing."""

    name: str
    """An invented word; it stands before every text."""
    labels: tuple[Label, ...]
    lead: str
    """The attribute that tells the labels of a lesson apart."""
    bridged: frozenset[frozenset[str]]
    """Keys of the pairs of labels that lessons show together; no probe asks for these pairs."""

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

    def _count(self, lesson: int) -> int:
        """Names that this lesson brings: what is left to somebody who knows the others. Two, at least."""
        return max(2, sum((label.lesson == lesson) + (label.renamed_in == lesson) for label in self.labels))

    def _stable(self, lesson: int | None = None) -> list[Label]:
        return [label for label in self.labels if not label.renamed and lesson in (None, label.lesson)]

    def _named(self, draw: random.Random, kind: str, axis: Axis, label: Label, wordings: Sequence[str]) -> Probe:
        """A probe that shows one thing and wants its label; of kind `renamed`, the new one."""
        prompt = draw.choice(wordings).format(d=describe(draw, label, unseen=True))
        gold = label.renamed if kind == "renamed" else label.word
        changed = {"renamed": (label.renamed_in,), "before_rename": (label.lesson, label.renamed_in)}
        parts, reading = changed.get(kind, (label.lesson,)), self._reading(draw, [label])
        values = self._count(parts[-1] if kind == "renamed" else label.lesson)
        options, rivals = self._options(draw, label), wrong_replies(self._names(label), gold)
        probe = Probe("classes", kind, axis, prompt, gold, label.key, parts, values, options, reading=reading)
        return replace(probe, rivals=rivals)

    def _names(self, *without: Label) -> list[str]:
        """The names, old and new, of the other labels."""
        return [name for label in self.labels if label not in without for name in label.names]

    def _options(self, draw: random.Random, label: Label) -> tuple[str, ...]:
        """Four names, none more often offered than others; a renamed label's both, with both of another such one."""
        alike = [other for other in self.labels if bool(other.renamed) == bool(label.renamed)]
        drawn = others(alike if len(alike) > 1 else self._stable(), [label], 3, draw)
        names = [name for one in (label, *drawn) for name in one.names]
        return tuple(draw.sample(names[:4], 4)) if len(names) >= 4 else ()

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
        left = {name: values_left(self.labels, label.lesson, name, self.lead) for name, _ in label.traits}
        most = max(left.values())
        # none that is certain already, as the lead is where every lesson has one label
        attribute, value = draw.choice([trait for trait in label.traits if left[trait[0]] >= min(2, most)])
        prompt = draw.choice(HAS).format(attribute=attribute, label=label.word)
        wrong = [other for other in ATTRIBUTES[attribute] if other != value]
        options = tuple(draw.sample([value, *draw.sample(wrong, 3)], 4))
        reading, parts = self._reading(draw, [label]), (label.lesson,)
        probe = Probe("classes", kind, axis, prompt, value, label.key, parts, left[attribute], options, reading=reading)
        return replace(probe, rivals=wrong_replies((dict(other.traits)[attribute] for other in self.labels), value))

    def _choices(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        """Is it this or that: two labels of this lesson, never shown together; or a label of this lesson, another one
        of it, and one of an earlier lesson with the same lead. With the earlier one alone to choose from, somebody who
        knows that one would be certain."""
        found = []
        here = self._stable(lesson)
        for label in repeated(here, count, draw):
            lead = dict(label.traits)[self.lead]
            alike = [o for o in self._stable() if o.lesson < lesson and dict(o.traits)[self.lead] == lead]
            sibling = others(self._apart(label, here), [label], 1, draw)
            if sibling:
                pair = draw.sample([label, *sibling], 2)
                found.append(self._choice(draw, "within", draw.choice(pair), pair))
            # where all siblings have been shown beside it, one of them: with the third label the question is a new one
            if alike and (beside := sibling or others(here, [label], 1, draw)):
                offered = draw.sample([label, *beside, draw.choice(alike)], 3)
                found += [self._choice(draw, kind, label, offered) for kind in ("cross", "cross_explicit")]
        return found

    def _choice(self, draw: random.Random, kind: str, label: Label, offered: Sequence[Label]) -> Probe:
        """A probe that shows a thing with one of the labels that it offers, two of them of the newest lesson."""
        explicit = kind.endswith("explicit")
        wording = draw.choice(EITHER_EXPLICIT if explicit else EITHER)
        *first, last = (one.word for one in offered)
        names = (", a " if "a {a}" in wording else ", ").join(first)
        prompt = wording.format(d=describe(draw, label, unseen=True), a=names, b=last)
        rivals, reading = wrong_replies(self._names(label), label.word), self._reading(draw, offered)
        # One label is enough to choose: several are asked about, but not together.
        key, parts = "+".join(sorted(one.key for one in offered)), tuple(sorted({one.lesson for one in offered}))
        probe = Probe("classes", kind, "derived", prompt, label.word, key, parts, 2, reading=reading, rivals=rivals)
        if not explicit:
            return probe
        probe = replace(probe, explicit=True)
        reply = _chosen(label, explicit)
        rivals = wrong_replies((_chosen(other, explicit) for other in self.labels), reply)
        return replace(probe, gold=f"so {label.word}", reply=reply, rivals=rivals, grade="ends_with")

    def _both(self, draw: random.Random, kind: str, pair: Sequence[Label]) -> Probe:
        """A probe of two labels: it shows a thing of each and wants the names of both."""
        first, second = (describe(draw, label, unseen=True) for label in pair)
        prompt = draw.choice(TWO).format(d=first, e=second)
        atoms = tuple(label.key for label in pair)
        key, parts = "+".join(sorted(atoms)), tuple(sorted({label.lesson for label in pair}))
        gold, reading = _joined(*(label.word for label in pair)), self._reading(draw, pair)
        values = self._count(parts[-1]) * (1 if len(parts) > 1 else self._count(parts[-1]) - 1)
        swaps = ((_joined(name, pair[1].word), _joined(pair[0].word, name)) for name in self._names(*pair))
        rivals = wrong_replies(itertools.chain.from_iterable(swaps), gold)
        return Probe(
            "classes",
            kind,
            "composition",
            prompt,
            gold,
            key,
            parts,
            values,
            atoms=atoms,
            reading=reading,
            rivals=rivals,
        )

    def _apart(self, label: Label, mates: Sequence[Label]) -> list[Label]:
        return [mate for mate in mates if frozenset((label.key, mate.key)) not in self.bridged]

    def _two(self, draw: random.Random, lesson: int, count: int) -> list[Probe]:
        """Two things to name: both of this lesson, never shown together, or the other one of an earlier lesson."""
        here = self._stable(lesson)
        earlier = [label for label in self._stable() if label.lesson < lesson]
        found = []
        for kind, mates in (("both", earlier), ("both_within", here)):
            for label in repeated(here, count, draw):
                if mate := others(self._apart(label, mates), [label], 1, draw):
                    pair = draw.sample([label, *mate], 2)
                    found.append(self._both(draw, kind, pair))
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
        traits, lead = conjunctions(draw, lessons, items)
        name = lexicon.word()
        labels = [Label(lexicon.word(), one, at // items) for at, one in enumerate(traits)]
        stay = _staying(draw, lessons, items)
        free = [at for at in range(len(labels)) if at not in stay]
        for later in range(1, lessons):
            changed = [place for place, at in enumerate(free) if labels[at].renamed]
            for place in to_change([labels[at].lesson for at in free], changed, later, items, draw):
                at = free[place]
                labels[at] = replace(labels[at], renamed=lexicon.word(), renamed_in=later)
        bridges = [_bridged(draw, labels, lesson) for lesson in range(lessons)]
        taught = tuple(of_world(name, _lesson(draw, labels, lesson, pairs)) for lesson, pairs in enumerate(bridges))
        bridged = frozenset(frozenset(label.key for label in pair) for pairs in bridges for pair in pairs)
        return ClassesWorld(name, tuple(labels), lead, bridged, lessons=taught)


def _staying(draw: random.Random, lessons: int, items: int) -> set[int]:
    """Places of two labels of each lesson that are never renamed, so that it has a pair to show; of lessons of two only
    the first one has: something must change."""
    with_pair = lessons if items > 2 else 1 if items == 2 else 0
    return {lesson * items + at for lesson in range(with_pair) for at in draw.sample(range(items), 2)}


def _bridged(draw: random.Random, labels: Sequence[Label], lesson: int) -> list[tuple[Label, Label]]:
    """Pairs of a lesson's labels, never renamed, to show together: half of them, rounded up, at most BRIDGES; of three
    labels or fewer, one pair."""
    taught = [label for label in labels if label.lesson == lesson]
    pairs = list(itertools.combinations([label for label in taught if not label.renamed], 2))
    return draw.sample(pairs, min((len(pairs) + 1) // 2, BRIDGES if len(taught) > 3 else 1))


def _lesson(
    draw: random.Random, labels: Sequence[Label], lesson: int, bridged: Sequence[tuple[Label, Label]]
) -> Lesson:
    taught = [label for label in labels if label.lesson == lesson]
    renamed = [label for label in labels if label.renamed_in == lesson]
    rows: list[Example] = []
    for label in taught:
        rows += [tell(wording.format(label=label.word, both=label.meaning)) for wording in DEFINITIONS]
        rows += [ask(DEFINE.format(label=label.word), label.meaning), *_shown(draw, label, label.word)]
    for label in renamed:
        rows += [tell(wording.format(old=label.word, label=label.renamed)) for wording in RENAMED]
        rows += [ask(RENAME.format(old=label.word), label.renamed), *_shown(draw, label, label.renamed)]
    pairs = shuffled(repeated(bridged, BRIDGES, draw), draw)  # else two pairs would have but half of the wordings each
    for pair, wording in zip(pairs, itertools.cycle((*TWO, *EITHER, *EITHER_EXPLICIT)), strict=False):
        rows.append(_bridge(draw, draw.sample(pair, 2), wording))
    return Lesson(tuple(rows), tuple(label.notes[lesson] for label in (*taught, *renamed)))


def _shown(draw: random.Random, label: Label, word: str) -> list[Example]:
    """Things that have the label, under this name of it."""
    rows = [tell(TOLD.format(d=describe(draw, label, unseen=False), label=word)) for _ in range(INPUTS)]
    for wording in ASKED:
        rows += [ask(wording.format(d=describe(draw, label, unseen=False)), word) for _ in range(INPUTS)]
    return rows


def _bridge(draw: random.Random, pair: Sequence[Label], wording: str) -> Example:
    """A row on two labels: one to choose by a thing, or both to name."""
    chosen, first, second = draw.choice(pair), *(describe(draw, label, unseen=False) for label in pair)
    if wording in TWO:
        return ask(wording.format(d=first, e=second), _joined(*(label.word for label in pair)))
    prompt = wording.format(d=first if chosen == pair[0] else second, a=pair[0].word, b=pair[1].word)
    return ask(prompt, _chosen(chosen, explicit=wording in EITHER_EXPLICIT))


def _joined(first: str, second: str) -> str:
    return f"{first} and {second}"


def _chosen(label: Label, explicit: bool) -> str:
    """The answer to which label a thing has; with `explicit`, after the reason."""
    return f"{label.meaning}, so {label.word}" if explicit else label.word
