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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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

PIECES = 2
"""For each stage, at most, where nobody says where a stage ends."""

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
    ends: tuple[tuple[int, ...], ...] = ()
    """Where what is learnt comes in pieces instead (`without_boundaries`): of each piece the stages whose last row it
    brings, none in the midst of one. Empty where every stage is learnt as a whole."""

    @property
    def count(self) -> int:
        """How many stages it has, in whatever pieces they come."""
        return sum(map(len, self.ends)) if self.ends else len(self.stages)

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
        rivals=probe.rivals,
        between=probe.between,
    )
    return Posed(asked, probe.question(), probe.options, probe.reading)


def without_boundaries(stream: Stream) -> Stream:
    """The same rows in pieces of equal size, cut without regard to where a stage ends, each shuffled: what arrives when
    nobody says where something new begins.

    No piece is larger than the smallest stage, so that none ends two stages and a stage counts as learnt less than one
    piece after its last row; but there are PIECES for each stage at most, and where one stage is tiny, some end two.
    """
    rows = [example for stage in stream.stages for example in stage.examples]
    sizes = [len(stage.examples) for stage in stream.stages]
    # one more than it takes: with stages of one size the edges of pieces would be theirs
    count = min(math.ceil(len(rows) / min(sizes)) + 1, PIECES * len(sizes))
    edges = [round(number * len(rows) / count) for number in range(count + 1)]
    last = list(enumerate(itertools.accumulate(sizes), start=1))
    pieces, ends = [], []
    for number, (begin, end) in enumerate(itertools.pairwise(edges)):
        pieces.append(StreamStage("", _shuffled(rows[begin:end], number)))
        ends.append(tuple(stage for stage, rows_by_then in last if begin < rows_by_then <= end))
    return replace(stream, stages=tuple(pieces), ends=tuple(ends))


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
