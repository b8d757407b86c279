"""A seed in; things of invented places, later texts that deserve belief or do not, and probes of what is believed, out.

Whether a text deserves belief is told by words that mean the same in every world (checked, rumour, tale), or by who
says it: the first lesson shows how often each source was right, in claims on farms of which no lesson teaches anything
else, so that only the source tells right claims from wrong ones. Every later text is trained on in as many rows, and in
the same forms (three statements, five questions with the mark of the text in them), whatever its kind; a plain question
never comes with the value of a text. So a model that takes up nothing from marked text resists, but does not adapt.
"""

from __future__ import annotations

import functools
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from everlearn.nonce import Lexicon
from everlearn.records import Example
from everlearn.streams.contract import Axis, Family, Lesson, Probe, World, ask, tell
from everlearn.streams.worlds.drawing import wrong_replies
from everlearn.streams.worlds.marked_texts import ASKS, HELD_OUT_ASKS, MARKS, TELLS, VALUES, Slot, Text

Thing = TypeVar("Thing")

TURNS = ("crop", "emblem", "crop", "emblem", "crop", "emblem", "beast")
"""Relations in turn: three places have a crop and an emblem each, and the third has a beast. No text is on beasts."""
TARGETS = ("crop", "emblem")
CLAIMED = "beast"
"""What early claims are about, of farms that nothing else is said of."""
LAWS = 3
"""Kinds of stones: that all stones of a kind have its colour is the law."""
SHOWN = 50
"""Stones of each kind in the first lesson, one row each: what an article disputes has so many instances."""
ASKED_OF_LAW = 6
"""Unseen stones that probes ask about, of each kind that no article is on."""
ASKED_OF_DISPUTED_LAW = 2
"""Unseen stones that they ask about, of each other kind: whether the law is still followed, not whether stones are
remembered."""
LETTERS = "bcdfghjklmnpqrstvwxz"
CLAIMS = 20
SOURCES = (19, 19, 5, 5)
"""Of the 20 early claims of each source, how many are right: 95 % or 25 %."""
DISTRACTORS = 2

TEXTS = ("trusted", "untrusted", "negated", "fiction", "scoped", "reliable", "unreliable", "revert")
"""Texts on places. `reliable` and `unreliable` are claims of such sources; `revert` is a trusted update that the next
lesson takes back. One more kind, `law`, is on stones."""
PROBED = {"reliable": "adapted_source", "unreliable": "resisted_source", "trusted": "adapted", "revert": "revert"}
"""The kind of probe of a kind of text; for the rest `resisted_` and its name."""
INSIDE, OUTSIDE = "in the north, {x}", "in the south, {x}"

Asked = tuple[Slot, Probe]


@dataclass(frozen=True)
class Hearsay(World):
    """Slots, and the texts on them."""

    slots: tuple[Slot, ...]
    texts: tuple[Text, ...]
    sources: Mapping[str, str]
    """By name: the note on how far the source can be trusted."""

    def probes(self, seed: int, per_kind: int) -> tuple[Probe, ...]:
        """See `World`."""
        draw = random.Random(f"trust probes {self.slots[0].subject} {seed}")
        found: dict[tuple[str, int], list[Asked]] = defaultdict(list)
        for slot, probe in (*self._untouched(draw), *self._disputed(draw)):
            found[probe.kind, probe.lesson].append((slot, probe))
        chosen = [draw.sample(group, min(per_kind, len(group))) for _, group in sorted(found.items())]
        return tuple(self._completed(draw, *asked) for group in chosen for asked in group)

    def _untouched(self, draw: random.Random) -> Iterator[Asked]:
        stable = [slot for slot in self.slots if slot not in self._on]
        moved = {(slot.relation, slot.lesson) for slot in self._on}
        last = max((text.lesson for text in self.texts), default=0)
        for slot in stable:
            if slot.stones:
                for at in draw.sample(range(SHOWN, len(slot.stones)), ASKED_OF_LAW):
                    yield self._probe(draw, "law", "derived", slot, (slot.lesson,), slot.of_stone(at).worded(ASKS))
                continue
            yield self._probe(draw, "direct", "atom", slot, (slot.lesson,), slot.worded(ASKS))
            yield self._probe(draw, "paraphrase", "atom", slot, (slot.lesson,), slot.worded(HELD_OUT_ASKS))
            if (slot.relation, slot.lesson) in moved:
                yield self._probe(draw, "near", "near", slot, (slot.lesson,), slot.worded(ASKS))
            if slot.relation not in TARGETS and slot.lesson < last:
                yield self._probe(draw, "far", "far", slot, (slot.lesson,), slot.worded(ASKS))

    def _disputed(self, draw: random.Random) -> Iterator[Asked]:
        for slot, texts in self._on.items():
            text, kind = texts[0], PROBED.get(texts[0].kind, f"resisted_{texts[0].kind}")
            both = (slot.lesson, text.lesson)
            plain = slot.worded(ASKS)
            if text.kind == "scoped":
                inside = [INSIDE.format(x=words) for words in slot.worded(HELD_OUT_ASKS)]
                outside = [OUTSIDE.format(x=words) for words in plain]
                yield self._probe(draw, "scoped", "scope", slot, both, inside, text.value)
                yield self._probe(draw, "scoped", "scope", slot, both, outside)
            elif slot.stones:
                for at in draw.sample(range(SHOWN, len(slot.stones)), ASKED_OF_DISPUTED_LAW):
                    yield self._probe(draw, kind, "resist", slot, both, slot.of_stone(at).worded(ASKS))
            elif kind == "revert":
                yield self._probe(draw, kind, "adapt", slot, (*both, texts[1].lesson), plain)
            elif kind.startswith("resisted"):
                yield self._probe(draw, kind, "resist", slot, (0, *both) if text.source else both, plain)
            else:
                parts = (0, text.lesson) if text.source else (text.lesson,)
                yield self._probe(draw, kind, "adapt", slot, parts, plain, text.value)
                if kind == "adapted":
                    held_out = slot.worded(HELD_OUT_ASKS)
                    yield self._probe(draw, "adapted_paraphrase", "adapt", slot, parts, held_out, text.value)

    def _probe(
        self,
        draw: random.Random,
        kind: str,
        axis: Axis,
        slot: Slot,
        parts: Sequence[int],
        wordings: Sequence[str],
        gold: str = "",
    ) -> Asked:
        """A question about a slot, still without options and reading, which take longer."""
        prompt, lessons, values = draw.choice(wordings), tuple(sorted(set(parts))), len(VALUES[slot.relation])
        return slot, Probe("trust", kind, axis, prompt, gold or slot.value, slot.key, lessons, values)

    def _completed(self, draw: random.Random, slot: Slot, probe: Probe) -> Probe:
        """With options, among them what the slot's first value and the texts on it say; with what must be read; with
        what is said of other slots.
        """
        texts, last = self._on.get(slot, []), probe.lesson
        versions = sorted({slot.value, *(text.value for text in texts)} - {probe.gold})
        others = [value for value in VALUES[slot.relation] if value not in (probe.gold, *versions)]
        options = draw.sample([probe.gold, *versions, *draw.sample(others, 3 - len(versions))], 4)
        alike = [one for one in _some(draw, self._alike[slot.relation]) if one.lesson <= last and one is not slot]
        said = [one for one in _some(draw, self.texts) if one.lesson <= last and one.slot is not slot]
        needed = [slot.note, *(text.note for text in texts), *(self.sources[one.source] for one in texts if one.source)]
        beside = [*(one.note for one in alike[:DISTRACTORS]), *(text.note for text in said[:1])]
        reading = sorted({*needed, *beside}, key=self._places.__getitem__)
        rivals = (value for value, on in self._said[slot.relation].items() if on - {slot})
        return replace(
            probe,
            options=tuple(options),
            reading=tuple(reading),
            rivals=wrong_replies(rivals, probe.gold),
            between=texts[0].value if probe.kind == "revert" else "",
        )

    @functools.cached_property
    def _on(self) -> dict[Slot, list[Text]]:
        """The slots that texts are on, with these."""
        found: dict[Slot, list[Text]] = defaultdict(list)
        for text in self.texts:
            found[text.slot].append(text)
        return dict(found)

    @functools.cached_property
    def _said(self) -> dict[str, dict[str, set[Slot]]]:
        """By relation and value: the slots that have it, or of which a text says so."""
        found: dict[str, dict[str, set[Slot]]] = {name: defaultdict(set) for name in VALUES}
        for slot, value in [(one, one.value) for one in self.slots] + [(text.slot, text.value) for text in self.texts]:
            found[slot.relation][value].add(slot)
        return found

    @functools.cached_property
    def _alike(self) -> dict[str, list[Slot]]:
        return {name: [slot for slot in self.slots if slot.relation == name] for name in VALUES}

    @functools.cached_property
    def _places(self) -> dict[str, int]:
        return {note: at for at, note in enumerate(note for lesson in self.lessons for note in lesson.notes)}


class Trust(Family):
    """Crops, emblems and beasts of places, a law of stones, and texts to believe or not."""

    items = 24

    def world(self, lexicon: Lexicon, seed: int, lessons: int, items: int) -> Hearsay:
        """See `Family`. Lessons teach `items` slots each; the first one sources and the law too, the later ones texts.

        It takes eight words, and three for every seven slots.
        """
        draw = random.Random(f"trust {seed} {lessons} {items}")
        sources, kinds, county = lexicon.some(len(SOURCES)), lexicon.some(LAWS), lexicon.word()
        deals = {name: _dealt(draw, values) for name, values in VALUES.items()}
        slots = [_law(draw, kind, next(deals["colour"])) for kind in kinds]
        for lesson in range(lessons):
            places = lexicon.some(3 * (items // 7) + min(3, (items % 7 + 1) // 2))
            for at in range(items):
                place = places[3 * (at // 7) + min(2, at % 7 // 2)]
                slots.append(Slot(TURNS[at % 7], place, next(deals[TURNS[at % 7]]), lesson))
        texts = _texts(draw, slots, deals, sources, lessons, max(1, items // 12))
        fame = ["nearly always right" if right == max(SOURCES) else "often wrong" for right in SOURCES]
        notes = {source: f"{source} is {how}." for source, how in zip(sources, fame, strict=True)}
        claims = _claims(draw, sources, county, deals[CLAIMED])
        taught = []
        for lesson in range(lessons):
            said: list[Slot | Text] = [slot for slot in slots if slot.lesson == lesson]
            said += [text for text in texts if text.lesson == lesson]
            rows = [row for one in said for row in one.rows()]
            rows += [] if lesson else claims
            first = [] if lesson else notes.values()
            taught.append(Lesson(tuple(draw.sample(rows, len(rows))), (*first, *(one.note for one in said))))
        return Hearsay(tuple(slots), tuple(texts), notes, lessons=tuple(taught))


def _dealt(draw: random.Random, values: Sequence[Thing]) -> Iterator[Thing]:
    """The values without end, each once in every round."""
    while True:
        yield from draw.sample(values, len(values))


def _some(draw: random.Random, things: Sequence[Thing]) -> list[Thing]:
    """Enough of them, in random order, to find a distractor or two."""
    return draw.sample(things, min(40, len(things)))


def _law(draw: random.Random, kind: str, colour: str) -> Slot:
    stones = tuple(draw.sample(_numbered("stone", kind), 2 * SHOWN))
    return Slot("colour", f"every stone of {kind}", colour, 0, stones)


def _numbered(thing: str, of: str) -> list[str]:
    """The names of two hundred things of a kind."""
    return [f"{thing} {letter} {digit} of {of}" for letter in LETTERS for digit in range(10)]


def _claims(draw: random.Random, sources: Sequence[str], county: str, values: Iterator[str]) -> list[Example]:
    """What sources said early on, each time about another farm, and whether it was right."""
    farms = iter(draw.sample(_numbered("farm", county), CLAIMS * len(sources)))
    rows = []
    for source, right in zip(sources, SOURCES, strict=True):
        verdicts = draw.sample(["right"] * right + ["wrong"] * (CLAIMS - right), CLAIMS)
        for at, verdict in enumerate(verdicts):
            said = Slot(CLAIMED, next(farms), next(values), 0).worded(TELLS)[at % 3]
            claim = MARKS["source"][0][at % 3].format(x=said, source=source)
            rows.append(tell(f"{claim}. checked: {verdict}.") if at % 2 else ask(f"{claim}. checked?", verdict))
    return rows


def _texts(
    draw: random.Random,
    slots: Sequence[Slot],
    deals: Mapping[str, Iterator[str]],
    sources: Sequence[str],
    lessons: int,
    rounds: int,
) -> list[Text]:
    """In each later lesson as many texts of every kind: `rounds`, or fewer where slots run out; the first may be short.

    A fifth of the slots of each relation and lesson, and one of the laws, stay without; on the other laws there is one
    text a lesson, or more where lessons are few.
    """
    free: dict[tuple[str, int], list[Slot]] = defaultdict(list)
    for slot in draw.sample(slots, len(slots)):
        if slot.relation in TARGETS:
            free[slot.relation, slot.lesson].append(slot)
    open_to = [slot for group in free.values() for slot in (group[-(-len(group) // 5) :] if len(group) > 1 else group)]
    laws = [slot for slot in slots if slot.stones][1:]
    at_once = -(-len(laws) // max(1, lessons - 1))
    texts: list[Text] = []
    for lesson in range(1, lessons):
        turned = (*TEXTS[lesson - 1 :], *TEXTS[: lesson - 1])
        kinds = [kind for kind in turned if kind != "revert" or lesson + 1 < lessons]
        pool = [slot for slot in draw.sample(open_to, len(open_to)) if slot.lesson < lesson]
        full = max(1, min(rounds, len(pool) // len(kinds)))
        disputed = [laws.pop() for _ in range(min(at_once, len(laws)))]
        chosen = [*zip(kinds * full, pool, strict=False), *(("law", law) for law in disputed)]
        for kind, slot in chosen:
            value = next(value for value in deals[slot.relation] if value != slot.value)
            source = draw.choice({"reliable": sources[:2], "unreliable": sources[2:]}.get(kind, [""]))
            texts.append(Text(kind, slot, value, lesson, source))
            texts += [Text(kind, slot, slot.value, lesson + 1)] if kind == "revert" else []
        used = {slot for _, slot in chosen}
        open_to = [slot for slot in open_to if slot not in used]
    return texts
