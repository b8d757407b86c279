"""KL goes from the teacher to the model, and each penalty has the teacher that it says."""

from __future__ import annotations

import pytest
import torch

from everlearn.model.language_model import LanguageModel
from everlearn.train.anchors import Anchors, believe, kl_to
from everlearn.train.meter import Meter

from .conftest import pairs

SMALL = {"anchors": 16, "anchor_length": 12, "anchors_per_step": 4}


def distance(model, anchors) -> float:
    with torch.no_grad():
        return float(kl_to(model, anchors, range(len(anchors.rows))))


@pytest.mark.parametrize("name", ["kl_base", "kl_previous"])
def test_beliefs_about_own_texts_stay(name, tiny_folder, learn):
    far = []
    for strength in (0.0, 20.0):
        model = LanguageModel.load(str(tiny_folder))
        before = LanguageModel.load(str(tiny_folder))
        learn(model, name, pairs("one"), strength=strength, **SMALL)
        from everlearn.train.anchors import write_anchors

        far.append(distance(model, write_anchors(before, 16, 12, seed=5)))
    assert far[1] < 0.6 * far[0]


def test_the_base_stays_the_teacher_in_later_stages(tiny, learn):
    memory = learn(tiny, "kl_base", pairs("one"), **SMALL)
    again = learn(tiny, "kl_base", pairs("two"), memory, **SMALL)
    assert torch.equal(memory["anchors"]["top_logprobs"], again["anchors"]["top_logprobs"])
    anchors = Anchors.of(again["anchors"])
    start = tiny.twin()
    start.restore(tiny.start())
    live = believe(start, anchors.rows)
    assert torch.allclose(live.teacher([0]).logprobs_NK, anchors.teacher([0]).logprobs_NK, atol=2e-3)


def test_the_previous_model_is_asked_anew_and_nothing_is_kept(tiny, learn):
    meter = Meter(1)
    assert learn(tiny, "kl_previous", pairs("one"), meter=meter, **SMALL) == {}
    first = meter.tokens["generated"]
    assert learn(tiny, "kl_previous", pairs("two"), meter=meter, **SMALL) == {}
    assert meter.tokens["generated"] > first > 0


def test_lwf_holds_the_model_to_what_it_said_of_the_lessons_own_prompts(tiny_folder, learn):
    far = []
    for strength in (0.0, 20.0):
        model = LanguageModel.load(str(tiny_folder))
        before = believe(model, [model.chat.example(example) for example in pairs("one")])
        meter = Meter(1)
        assert learn(model, "lwf", pairs("one"), meter=meter, strength=strength) == {}
        assert meter.tokens["teacher"] == sum(len(row.ids) for row in before.rows)
        far.append(distance(model, before))
    assert far[1] < 0.5 * far[0]


def test_a_stage_of_nothing_holds_to_nothing(tiny, learn):
    assert learn(tiny, "lwf", []) == {}
