"""What a family of tasks must be: a seed in; lessons to learn, and probes of what was learnt, out.

A *world* is one invented universe of a family. It is taught in lessons; a stream shuffles the lessons of several
worlds into stages. Probes are drawn afresh from a seed, so that nobody can have trained on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from everlearn.nonce import Lexicon
from everlearn.records import Example, Message, Origin, Question

Axis = Literal["atom", "derived", "composition", "adapt", "resist", "scope", "near", "far", "boundary"]
"""What a probe tells about.

atom: a single thing that one lesson taught, in a template or on an input that was not trained;
derived: a single thing turned round or stretched (reverse, inverse, longer input);
composition: two or more things together;
adapt: the new value of what a trusted later lesson changed; resist: the value that an untrusted, negated, fictional or
law-attacking text should not have changed; scope: the old value where it is explicitly asked for ("in v1");
near: an untouched neighbour of what was changed; far: something untouched of another kind;
boundary: something that must not be claimed or done (unanswerable, trigger absent).
"""

RENDERINGS = 12
"""Wordings of each taught thing, at least."""
HELD_OUT = 4
"""Of these, wordings that no lesson uses: probes do."""


@dataclass(frozen=True)
class Probe:
    """One question of a family, and everything that scores need to know of it."""

    family: str
    kind: str
    """The family's own name of what is asked: direct, paraphrase, reverse, two_hop, …"""
    axis: Axis
    prompt: str
    gold: str
    """The canonical answer; with `grade` other than `exact`, the check's argument."""
    key: str
    """The thing asked about: the same in every wording, cued or not, so that probes can be paired."""
    parts: tuple[int, ...]
    """The lessons (0-based) that taught its operands, in order, each once."""
    values: int
    """How many answers are equally plausible to somebody who knows everything but the lesson: chance is 1 / values."""
    options: tuple[str, ...] = ()
    """Four answers of the same kind, the right one among them, in random order; empty where there is no such choice."""
    atoms: tuple[str, ...] = ()
    """Of a composition: the keys of the atoms it is made of. Atom probes with these keys are always drawn beside it."""
    explicit: bool = False
    """Whether the answer spells the bridge out first."""
    cue: Literal["", "cued", "uncued"] = ""
    """Whether the skill is named, or only implied; empty where the difference does not arise."""
    reading: tuple[str, ...] = ()
    """The notes (`Lesson.notes`) that suffice to answer, in the order of lessons; for the in-context reference."""
    grade: str = "exact"
    """`exact`, or a check of `everlearn.grade` for a generated reply."""
    reply: str = ""
    """The canonical reply, where `gold` is a check's argument: what an oracle says, and what a base is trained on."""
    rivals: tuple[str, ...] = ()
    """Wrong replies that other things taught in the same world would call for here, each once: what comes out where one
    thing learnt stands before another."""
    between: str = ""
    """Of something changed twice, A to B and back to A: the reply while it was B."""

    @property
    def lesson(self) -> int:
        """The lesson after which it can be answered."""
        return max(self.parts)

    @property
    def chance(self) -> float:
        """Share right of somebody who knows everything but the lesson."""
        return 1 / self.values

    def question(self, reading: tuple[str, ...] = ()) -> Question:
        """As an exam question; with `reading`, these notes stand before it."""
        text = "\n".join((*reading, self.prompt))
        return Question((Message("user", text),), (self.gold,), f"{self.family}/{self.kind}", self.grade)


@dataclass(frozen=True)
class Lesson:
    """What one stage takes from one world."""

    examples: tuple[Example, ...]
    """Everything to train on: each taught thing in RENDERINGS − HELD_OUT wordings or more, and some of its things put
    together, so that joint training knows how compositions are answered; no probe puts the same ones together."""
    notes: tuple[str, ...]
    """The same content as short plain statements, one for each taught thing: what somebody would write down."""


@dataclass(frozen=True)
class World:
    """One invented universe. Subclasses keep what they need to draw probes."""

    lessons: tuple[Lesson, ...] = field(default=(), kw_only=True)

    def probes(self, seed: int, per_kind: int) -> tuple[Probe, ...]:
        """At most `per_kind` probes of each kind and last lesson, with fresh wordings and inputs; the same for a seed.

        Atoms named by a composition come in addition where the draw has left them out.
        """
        raise NotImplementedError


class Family:
    """A family of worlds; the file name is its name."""

    items: ClassVar[int]
    """Things taught in each lesson of the usual size (a stage of 200 to 500 training rows)."""

    def world(self, lexicon: Lexicon, seed: int, lessons: int, items: int) -> World:
        """The world of a seed, taught in so many lessons of so many things each.

        Invented words are taken from `lexicon`, so that no two worlds share any. The same arguments make the same
        world.
        """
        raise NotImplementedError


def ask(prompt: str, reply: str) -> Example:
    """A training row: a user's question and the reply to learn."""
    return Example((Message("user", prompt), Message("assistant", reply, learn=True)), Origin())


def tell(text: str) -> Example:
    """A training row: plain text to learn."""
    return Example((Message("text", text, learn=True),), Origin())


def of_world(name: str, lesson: Lesson) -> Lesson:
    """The lesson with the world's name before every text: it says which world is meant by a question that holds no
    invented word, since a model may know several."""
    rows = []
    for example in lesson.examples:
        first, *rest = example.messages
        rows.append(replace(example, messages=(replace(first, content=f"{name}: {first.content}"), *rest)))
    return Lesson(tuple(rows), tuple(f"{name}: {note}" for note in lesson.notes))
