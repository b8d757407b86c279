"""What the default method holds, and how firmly."""

from __future__ import annotations

from everlearn.methods.anchored import HOLD, Anchored
from everlearn.records import Example, Message, Origin
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Run

SMALL = Anchored(weights="neurons", neurons=8, anchors=8, anchor_length=12, neighbours=0, constancy=10.0, silence=0.0)


def example(word: str, strategy: str = "") -> Example:
    turns = (Message("user", f"{word}?"), Message("assistant", word, learn=True))
    return Example(turns, Origin(strategy=strategy))


def prepared(model, tmp_path, examples, memory=None):
    run = Run(0, Meter(model.parameters), Checkpoints(tmp_path, Meter(model.parameters), 1e9))
    model.adapt(SMALL.adaptation)
    return SMALL.prepare(model, examples, memory or {}, run)


def test_a_stage_of_corrections_is_held_less_firmly(tiny, tmp_path):
    memory = prepared(tiny, tmp_path, [example("one")])
    assert memory[HOLD] == 10.0
    memory = prepared(tiny, tmp_path, [example("one", "correction")], memory)
    assert memory[HOLD] == 0.5


def test_what_was_said_on_earlier_lessons_pulls_back(tiny, tmp_path):
    memory = prepared(tiny, tmp_path, [example("one")])
    out = next(name for name in tiny.masters if name.endswith("grown_out"))
    assert SMALL.penalty(tiny, memory, 0) == 0, "silence weighs nothing here, and nothing was taught before"
    tiny.masters[out].fill_(0.1)
    tiny.publish()
    memory = prepared(tiny, tmp_path, [example("two")], {**memory, "examples": [example("one")]})
    tiny.masters[out].fill_(0.3)
    tiny.publish()
    near = SMALL.penalty(tiny, memory, 0)
    tiny.masters[out].fill_(0.5)
    tiny.publish()
    assert SMALL.penalty(tiny, memory, 0) > near > 0
