"""What the default method holds, and how firmly."""

from __future__ import annotations

import pytest
import torch

from everlearn.errors import SettingsError
from everlearn.methods.anchored import HOLD, Anchored
from everlearn.methods.finetune import Finetune
from everlearn.model.language_model import LanguageModel
from everlearn.records import Example, Message, Origin
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Run

SMALL = Anchored(weights="neurons", neurons=8, anchors=8, anchor_length=12, neighbours=0, constancy=10.0, silence=0.0)


def example(word: str, strategy: str = "") -> Example:
    turns = (Message("user", f"{word}?"), Message("assistant", word, learn=True))
    return Example(turns, Origin(strategy=strategy))


def new_run(model, tmp_path) -> Run:
    meter = Meter(model.parameters)
    return Run(0, meter, Checkpoints(tmp_path, meter, 1e9))


def prepared(model, tmp_path, examples, memory=None):
    model.adapt(SMALL.adaptation)
    return SMALL.prepare(model, examples, memory or {}, new_run(model, tmp_path))


def test_a_stage_of_corrections_is_held_less_firmly(tiny, tmp_path):
    memory = prepared(tiny, tmp_path, [example("one")])
    assert memory[HOLD] == 10.0
    memory = prepared(tiny, tmp_path, [example("one", "correction")], memory)
    assert memory[HOLD] == 0.5


def test_what_was_said_on_earlier_lessons_pulls_back(tiny, tmp_path):
    memory = prepared(tiny, tmp_path, [example("one")])
    out = next(name for name in tiny.masters if name.endswith("grown_out"))
    assert SMALL.penalty(tiny, memory, 0) == 0, "silence weighs nothing here, and nothing was taught before"
    tiny.masters[out] = torch.full_like(tiny.masters[out], 0.1)
    memory = prepared(tiny, tmp_path, [example("two")], {**memory, "examples": [example("one")]})
    tiny.masters[out] = torch.full_like(tiny.masters[out], 0.3)
    near = SMALL.penalty(tiny, memory, 0)
    tiny.masters[out] = torch.full_like(tiny.masters[out], 0.5)
    assert SMALL.penalty(tiny, memory, 0) > near > 0
    firm, loose = (SMALL.penalty(tiny, {**memory, HOLD: hold}, 0) for hold in (10.0, 0.5))
    assert firm.item() == pytest.approx(20 * loose.item(), rel=1e-4)


def test_nothing_but_what_later_stages_need_is_remembered(tiny, tmp_path):
    examples = [example("one"), example("two")]
    memory = prepared(tiny, tmp_path, examples)
    kept = SMALL.finish(tiny, examples, memory, new_run(tiny, tmp_path))
    assert set(kept) == {"anchors", "examples"}


def test_texts_can_be_written_anew_before_each_stage_and_none_kept(tiny, tmp_path):
    method = Anchored(weights="full", anchors=8, anchor_length=12, neighbours=0, free=1.0, anew=True, average=False)
    examples, memory, written = [example("one")], {}, []
    for stage in ("first", "second"):
        memory = method.prepare(tiny, examples, memory, new_run(tiny, tmp_path / stage))
        written.append(memory["anchors"]["ids"].tolist())
        memory = method.finish(tiny, examples, memory, new_run(tiny, tmp_path / stage))
        assert set(memory) == {"examples", "turns"}
    assert written[0] != written[1]


def test_where_answers_begin_is_a_kind_of_its_own_on_each_side(tiny, tmp_path, monkeypatch):
    aimed = []
    monkeypatch.setattr(tiny, "aim", lambda *sides: aimed.extend(sides))
    prepared(tiny, tmp_path, [example("one")], {"examples": [example("two")]})
    for rows, begun in (side[:2] for side in aimed):
        assert 0 < sum(row.targets for row in begun) < sum(row.targets for row in rows)


def test_the_first_token_of_an_answer_can_weigh_more(tiny_folder, tmp_path):
    examples = [example("one two three"), example("four five six")]
    weights = []
    for number, opening in enumerate((1.0, 5.0)):
        model = LanguageModel.load(str(tiny_folder))
        method = Finetune(epochs=1, least_steps=1, opening=opening)
        method.learn(model, examples, {}, new_run(model, tmp_path / str(number)))
        weights.append(torch.cat([master.flatten() for master in model.masters.values()]))
    assert not torch.equal(*weights)


def test_a_share_is_no_more_than_all():
    with pytest.raises(SettingsError, match="free is"):
        Anchored(free=1.5)
