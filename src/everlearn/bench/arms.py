"""A stream and the name of an arm in, what that arm learns and in which order out.

An arm is a method on the stream as it comes, or one of the references that give its scores a scale.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from everlearn.bench.stream import Stream
from everlearn.records import Example

BASE, CONTEXT, JOINT, SOLO, WRONG = "base", "context", "joint", "solo", "wrong_stream"
USUAL = (BASE, JOINT, SOLO, CONTEXT)
"""The untouched base; everything at once; each stage alone; the base with the notes in its context."""

REFERENCES = (*USUAL, WRONG)
"""Arms that give the others' scores a scale; finetuning on another stream comes on request."""

UNTAUGHT = (BASE, CONTEXT)
"""References that learn nothing."""

LEARNER = "finetune"
"""The method by which joint, solo and wrong-stream references learn; its settings are theirs, but for a joint reference
that was tuned by itself."""


@dataclass(frozen=True)
class Phase:
    """One call of a method's `learn`."""

    stages: tuple[int, ...]
    """The stages that are complete at its end and were not before: one, as a rule; of joint training the last one; of a
    piece cut without regard to stages perhaps none."""
    examples: tuple[Example, ...]
    afresh: bool = False
    """Whether the model is set back to the base before."""

    @property
    def stage(self) -> int:
        """The last of these stages; 0 where there is none."""
        return max(self.stages, default=0)


def phases(arm: str, stream: Stream) -> tuple[Phase, ...]:
    """What an arm learns, call by call."""
    if arm in UNTAUGHT:
        return ()
    if arm == JOINT:
        rows = [example for stage in stream.stages for example in stage.examples]
        random.Random(stream.seed).shuffle(rows)
        return (Phase((stream.count,), tuple(rows)),)
    ends = stream.ends or [(number,) for number in range(1, stream.count + 1)]
    return tuple(
        Phase(complete, stage.examples, afresh=arm == SOLO) for complete, stage in zip(ends, stream.stages, strict=True)
    )


def role_of(arm: str, method: str) -> str:
    """The name by which an arm learns: `joint` where that is given for its method (`NAME=joint`), else its own."""
    return JOINT if method == JOINT else arm
