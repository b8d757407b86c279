"""Family names in; the worlds in which the lab model grew up, and what it is later asked of them, out.

The base learns procedures, never a stream: how each family asks and answers, what its primitives do, how two things are
put together, how a bridge is spelled out, how notes are read, what source tags are worth. It learns them from worlds of
its own, by lessons and by probes; one key in seven is never probed in training, and is what general ability is.
"""

from __future__ import annotations

import functools
import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from everlearn import plugins
from everlearn.nonce import Lexicon
from everlearn.records import Example, Message
from everlearn.streams.contract import Family, Probe, World, ask

SEED = 70_000
"""Worlds of the base have seeds from here on; streams have small ones."""

WORLDS = 2
"""Worlds of each family that the base knows by heart."""

LESSONS = 2
"""Lessons in each of them: operands of one lesson, of two, and changes."""

HELD_OUT = 7
"""One key in so many is never probed in training."""

PER_KIND = 6
"""Probes of each kind and lesson in one draw."""

HARD = {"operators": 3.0, "language": 1.5}
"""Families of which more is drawn: what they ask for takes longer to learn."""

LARGE = 256
"""Things in the largest worlds."""

ECHO = "say it again:"
"""Stands before notes that are to be repeated."""

GENERAL_SEED = 1
"""Of the draw that general ability is asked by; training draws have other ones."""

GENERAL_PER_KIND = 5
"""Probes of each kind and world among the candidates of general ability."""


@dataclass(frozen=True)
class BaseWorld:
    """One world that the base knows."""

    family: str
    world: World


@dataclass(frozen=True)
class Upbringing:
    """All worlds that the base knows by heart, and the invented words in them."""

    worlds: tuple[BaseWorld, ...]
    words: tuple[str, ...]


def families() -> list[str]:
    """All families, sorted."""
    return plugins.names("streams")


@functools.lru_cache(maxsize=1)
def upbringing() -> Upbringing:
    """What the base grew up with; no two of its worlds share an invented word, and no stream may use one."""
    worlds: list[BaseWorld] = []
    known: list[str] = []
    for number in range(WORLDS):
        lexicon = Lexicon(SEED + number, taken=known)
        for name in families():
            maker = plugins.find("streams", name, Family)()
            worlds.append(BaseWorld(name, maker.world(lexicon, SEED + number, LESSONS, maker.items)))
        known += lexicon.words
    return Upbringing(tuple(worlds), tuple(known))


def lesson_rows() -> list[Example]:
    """What the lessons of the base's worlds teach: all statements, and of replies to one question the last lesson's."""
    return [row for one in upbringing().worlds for row in latest_rows(one.world)]


def latest_rows(world: World) -> list[Example]:
    """What the lessons of a world teach in the end."""
    latest: dict[tuple[Message, ...], Example] = {}
    for lesson in world.lessons:
        latest |= {example.messages[:-1] or example.messages: example for example in lesson.examples}
    return list(latest.values())


def probe_rows(seed: int) -> list[Example]:
    """Probes of the base's worlds with their answers, in wordings and on inputs of a draw of its own; held-out keys,
    and what else is asked as general ability, are left out."""
    asked_later = general_prompts()
    return [
        answered(probe)
        for one in upbringing().worlds
        for probe in one.world.probes(SEED + seed, round(PER_KIND * HARD.get(one.family, 1.0)))
        if not is_held_out(probe.key) and probe.prompt not in asked_later
    ]


@functools.lru_cache(maxsize=1)
def general_prompts() -> frozenset[str]:
    """What is asked as general ability."""
    return frozenset(probe.prompt for _, probe in general_probes())


def general_probes() -> Iterator[tuple[str, Probe]]:
    """Held-out probes of what the base knows: which skill each one belongs to, and the probe."""
    for one in upbringing().worlds:
        for probe in one.world.probes(GENERAL_SEED, 4 * GENERAL_PER_KIND):
            if is_held_out(probe.key):
                yield f"{one.family}/{probe.kind}", probe


def fresh(seed: int) -> Upbringing:
    """A world of each family that nobody will meet again, for notes to be read about."""
    lexicon = Lexicon(SEED + WORLDS + seed, 3 + seed % 2)
    worlds = []
    for name in families():
        maker = plugins.find("streams", name, Family)()
        world = maker.world(lexicon, SEED + 1_000 + seed, 2, max(2, maker.items // 2))
        worlds.append(BaseWorld(name, world))
    return Upbringing(tuple(worlds), tuple(lexicon.words))


def reading_rows(seed: int) -> list[Example]:
    """Probes of fresh worlds, each with the notes that suffice in front."""
    probes = [probe for one in fresh(seed).worlds for probe in one.world.probes(seed, 3)]
    return [answered(probe, probe.reading) for probe in probes]


def echo_rows(seed: int) -> list[Example]:
    """Notes of fresh worlds to be said again, two at a time: from nothing else is looking back learnt as fast."""
    notes = [note for one in fresh(seed).worlds for lesson in one.world.lessons for note in lesson.notes]
    random.Random(f"echo {seed}").shuffle(notes)
    return [ask(f"{ECHO}\n{one}\n{two}", f"{one}\n{two}") for one, two in zip(notes[::2], notes[1::2], strict=False)]


def answered(probe: Probe, reading: Sequence[str] = ()) -> Example:
    """A probe with the right reply, word for word, as a training row."""
    return ask("\n".join((*reading, probe.prompt)), probe.reply or probe.gold)


def is_held_out(key: str) -> bool:
    """Whether the base is never trained on probes of this key."""
    return hashlib.sha256(key.encode()).digest()[0] % HELD_OUT == 0


def fixed_words() -> set[str]:
    """All words that are not invented: the tokenizer knows them whole. Large worlds have words that others lack."""
    known = [upbringing(), *(fresh(seed) for seed in range(4)), _large()]
    rows = [*lesson_rows(), *probe_rows(0), *echo_rows(0)]
    for one in (one for some in known[1:] for one in some.worlds):
        rows += [row for lesson in one.world.lessons for row in lesson.examples]
        rows += [answered(probe, probe.reading) for probe in one.world.probes(SEED, 3)]
    found = {word for row in rows for message in row.messages for word in _split(message.content)}
    return {word for word in found if word.isalpha() and len(word) > 1} - {
        word for some in known for word in some.words
    }


def _large() -> Upbringing:
    """A world of each family with as many things as the largest streams have."""
    lexicon = Lexicon(SEED, 4)
    worlds = [
        BaseWorld(name, plugins.find("streams", name, Family)().world(lexicon, SEED, 1, LARGE)) for name in families()
    ]
    return Upbringing(tuple(worlds), tuple(lexicon.words))


def _split(text: str) -> list[str]:
    return "".join(sign if sign.isalnum() else " " for sign in text).split()
