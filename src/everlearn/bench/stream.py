"""A seed and families in, stages in a balanced order and freshly drawn probes out; or a person's own stages.

A generated stream teaches worlds of several families in rounds: each round has one lesson of every world. The order
within a round is that of a Latin square, turned from round to round so that two lessons of a world always lie at least
two stages apart: over as many streams as there are families, each family stands equally often at each place.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from everlearn import plugins
from everlearn.desiderata.contract import Asked
from everlearn.errors import EverlearnError, SettingsError
from everlearn.nonce import Lexicon
from everlearn.records import Example, Question
from everlearn.streams.contract import Family, Probe, World

Draw = Callable[[str], "tuple[Posed, ...]"]
"""Makes probes of a salt."""

TURN = 2
"""Places by which the order of a round is turned in the next one, at most: two lessons of a world are then as many
stages apart, or more."""

SYLLABLES = (3, 4)
"""Of each invented word of a stream; the longer ones where the shorter ones are too few."""

ENOUGH = 700
"""Words that a stream may take of the shorter ones: some 850 are to be had, the last of them after a long search."""


@dataclass(frozen=True)
class Posed:
    """A probe as it is put to a model."""

    asked: Asked
    question: Question
    options: tuple[str, ...] = ()
    reading: tuple[str, ...] = ()
    """Notes that suffice to answer it."""


@dataclass(frozen=True)
class StreamStage:
    """One stage: what is learnt, and what somebody would write down of it. The learner sees the examples alone."""

    family: str
    examples: tuple[Example, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stream:
    """An ordered sequence of stages, and the probes of what they taught."""

    seed: int
    stages: tuple[StreamStage, ...]
    draw: Draw
    asked: Literal["always", "end"] = "always"
    """As `Plan.asked`."""

    def probes(self, salt: str) -> tuple[Posed, ...]:
        """All probes, drawn afresh for a salt that nobody knew while learning."""
        return self.draw(salt)


@dataclass(frozen=True)
class Plan:
    """What a generated stream is made of."""

    families: tuple[str, ...]
    rounds: int
    scale: float = 1.0
    """Things in each lesson, relative to the family's usual number."""
    per_kind: int = 6
    """Probes of each kind and lesson, at most."""
    taken: tuple[str, ...] = ()
    """Invented words that the base knows already."""
    syllables: int = SYLLABLES[0]
    """Of each invented word, at least."""
    together: int = 0
    """How many of the families a stream has; 0 for all. Each seed leaves out others, in turn."""
    probed: int = 0
    """Rounds that probes are about, from the first one on; 0 for all. What needs a later lesson is not asked."""
    asked: Literal["always", "end"] = "always"
    """Whether who learns is asked after each stage and within some, or at the end alone; the base is asked anyway."""

    @property
    def count(self) -> int:
        """Families in each stream."""
        return min(self.together or len(self.families), len(self.families))

    @property
    def stages(self) -> int:
        """Stages in each stream."""
        return self.count * self.rounds

    def chosen(self, seed: int) -> tuple[str, ...]:
        """The families of a stream, in the order of its first round.

        From seed to seed they move on by as many as a stream has, so that few streams see all of them; or by one,
        where that would leave some places out.
        """
        step = self.count if math.gcd(self.count, len(self.families)) == 1 else 1
        start = seed * step % len(self.families)
        turned = (*self.families[start:], *self.families[:start])
        return turned[: self.count]


def family(name: str) -> Family:
    """The family called `name`.

    Raises:
        PluginError: there is none.
    """
    return plugins.find("streams", name, Family)()


def generate(plan: Plan, seed: int) -> Stream:
    """The stream of a seed: the same for the same plan, on every machine.

    Raises:
        EverlearnError: a family is unknown, cannot teach so many lessons, or invented words run out.
    """
    names = plan.chosen(seed)
    worlds = _worlds(plan, seed)
    order = [(name, lesson) for lesson in range(plan.rounds) for name in _turned(names, lesson)]
    stage_of = {place: number for number, place in enumerate(order, start=1)}
    stages = tuple(
        StreamStage(
            Path(name).stem, _shuffled(worlds[name].lessons[lesson].examples, seed), worlds[name].lessons[lesson].notes
        )
        for name, lesson in order
    )

    def draw(salt: str) -> tuple[Posed, ...]:
        drawn = [
            posed(probe, [stage_of[name, lesson] for lesson in probe.parts])
            for name, world in worlds.items()
            for probe in world.probes(_number(salt, seed, name), plan.per_kind)
        ]
        if plan.probed:
            drawn = [one for one in drawn if one.asked.stage <= plan.probed * len(names)]
        # one question may be drawn twice; mixed, so that neighbours tell nothing about a probe's family
        unique = list({one.asked.id: one for one in drawn}.values())
        random.Random(f"{salt} {seed}").shuffle(unique)
        return tuple(unique)

    return Stream(seed, stages, draw, plan.asked)


def _worlds(plan: Plan, seed: int) -> dict[str, World]:
    """The worlds of a stream by family, in words of three syllables, or of four where it takes more than ENOUGH.

    Raises:
        SettingsError: words of four run out as well.
    """
    makers = {name: family(name) for name in plan.chosen(seed)}
    for syllables in (length for length in SYLLABLES if length >= plan.syllables):
        lexicon = Lexicon(seed, syllables, plan.taken)
        try:
            worlds = {
                name: maker.world(lexicon, seed, plan.rounds, max(1, round(maker.items * plan.scale)))
                for name, maker in makers.items()
            }
        except EverlearnError:  # not the lexicon, which raises a plain ValueError
            raise
        except ValueError:
            continue
        if syllables == SYLLABLES[-1] or len(lexicon.words) <= ENOUGH:
            return worlds
    raise SettingsError(f"invented words are too few for {plan.rounds} rounds", "ask for fewer: --rounds")


def posed(probe: Probe, stages: Sequence[int]) -> Posed:
    """A probe with the stages that taught its operands; `Asked.gold` is its canonical reply, whatever grades it."""
    asked = Asked(
        id=_identity(probe),
        family=probe.family,
        kind=probe.kind,
        axis=probe.axis,
        stages=tuple(sorted(set(stages))),
        key=probe.key,
        chance=probe.chance,
        atoms=probe.atoms,
        explicit=probe.explicit,
        cue=probe.cue,
        prompt=probe.prompt,
        gold=probe.reply or probe.gold,  # the question keeps the check's argument
    )
    return Posed(asked, probe.question(), probe.options, probe.reading)


def without_boundaries(stages: Sequence[StreamStage]) -> tuple[StreamStage, ...]:
    """As many pieces of equal size, cut without regard to where a stage ends, each shuffled: what arrives when nobody
    says where something new begins. Piece t ends where stage t would end if all were of one size."""
    rows = [example for stage in stages for example in stage.examples]
    edges = [round(number * len(rows) / len(stages)) for number in range(len(stages) + 1)]
    pieces = [rows[begin:end] for begin, end in itertools.pairwise(edges)]
    return tuple(
        StreamStage(stage.family, _shuffled(piece, number), stage.notes)
        for number, (stage, piece) in enumerate(zip(stages, pieces, strict=True))
    )


def words_of(stages: Collection[StreamStage]) -> set[str]:
    """All words that the stages' rows hold."""
    return {
        word
        for stage in stages
        for example in stage.examples
        for message in example.messages
        for word in message.content.split()
    }


def _turned(names: Sequence[str], lesson: int) -> tuple[str, ...]:
    turn = lesson * min(TURN, max(0, len(names) - TURN)) % len(names)
    return (*names[turn:], *names[:turn])


def _shuffled(examples: Sequence[Example], seed: int) -> tuple[Example, ...]:
    return tuple(random.Random(seed).sample(examples, len(examples)))


def _number(salt: str, seed: int, name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{salt} {seed} {name}".encode()).digest()[:8], "big")


def _identity(probe: Probe) -> str:
    told = (probe.family, probe.kind, probe.key, probe.prompt, probe.gold, *map(str, probe.parts))
    return hashlib.sha256("\x1f".join(told).encode()).hexdigest()[:16]
