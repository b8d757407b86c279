"""A stream and the name of an arm in, what that arm learns and in which order out.

An arm is a method on the stream as it comes, or one of the references that give its scores a scale.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from everlearn.bench.stream import Stream
from everlearn.records import Example

BASE, CONTEXT, JOINT, SOLO, WRONG = "base", "context", "joint", "solo", "wrong_stream"
REFERENCES = (BASE, JOINT, SOLO, CONTEXT)
"""The untouched base; everything at once; each stage alone; the base with the notes in its context."""

UNTAUGHT = (BASE, CONTEXT)
"""References that learn nothing."""

LEARNER = "finetune"
"""The method by which joint, solo and wrong-stream references learn; its settings are theirs."""


@dataclass(frozen=True)
class Phase:
    """One call of a method's `learn`."""

    stage: int
    """The stage at whose end it stands; of joint training the last one."""
    examples: tuple[Example, ...]
    afresh: bool = False
    """Whether the model is set back to the base before."""


def phases(arm: str, stream: Stream) -> tuple[Phase, ...]:
    """What an arm learns, call by call."""
    if arm in UNTAUGHT:
        return ()
    if arm == JOINT:
        rows = [example for stage in stream.stages for example in stage.examples]
        random.Random(stream.seed).shuffle(rows)
        return (Phase(len(stream.stages), tuple(rows)),)
    return tuple(
        Phase(number, stage.examples, afresh=arm == SOLO) for number, stage in enumerate(stream.stages, start=1)
    )


def method_of(arm: str) -> str:
    """The method that an arm learns by."""
    return LEARNER if arm in (JOINT, SOLO, WRONG) else arm
