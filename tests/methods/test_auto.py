"""Candidates of which one is right in, the same stage as that one alone would have learnt out."""

from __future__ import annotations

import pytest
import torch

from everlearn.errors import SettingsError
from everlearn.methods.auto import Auto
from everlearn.model.language_model import LanguageModel
from everlearn.stacking import method_called
from everlearn.train.meter import Meter

from .conftest import pairs

SMALL = {"texts": 8, "epochs": 20}


def of_finetune(**settings) -> Auto:
    return Auto(method="finetune", **settings)


@pytest.fixture
def first(tiny_folder):
    return lambda: LanguageModel.load(str(tiny_folder))


def test_it_ends_as_the_best_candidate_alone_would_have(first, learn):
    auto, alone = first(), first()
    learn(auto, of_finetune, pairs("one"), **SMALL, tries="learning_rate=1e-9,1e-8,3e-3,1e-7")
    learn(alone, "finetune", pairs("one"), epochs=20, learning_rate=3e-3)
    assert all(torch.equal(auto.masters[name], alone.masters[name]) for name in alone.masters)


def test_what_destroys_the_models_habits_is_not_chosen(first, learn, nats):
    model = first()
    learn(model, of_finetune, pairs("one"), **SMALL, tries="learning_rate=1,3e-3")
    assert nats(model, pairs("one")) < nats(first(), pairs("one"))


def test_the_search_keeps_to_its_budget(first, learn):
    model, meter, plain = first(), Meter(1), Meter(1)
    learn(model, "finetune", pairs("one"), meter=plain, epochs=1)
    one_pass = plain.tokens["new"]
    learn(first(), of_finetune, pairs("one"), meter=meter, **SMALL, search=8.0)
    assert meter.tokens["new"] <= (20 + 8.0 + 2) * one_pass  # each round is cut to whole rows
    assert meter.tokens["new"] > 22 * one_pass


def test_earlier_rows_count_in_the_choice_of_a_later_stage(first, learn):
    model = first()
    memory = learn(model, of_finetune, pairs("one"), **SMALL)
    assert memory["probe.examples"]
    memory = learn(model, of_finetune, pairs("two"), memory=memory, **SMALL)
    assert {example.messages[0].content.split()[0] for example in memory["probe.examples"]} == {"one", "two"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"method": "auto"}, "cannot choose settings for auto"),
        ({"tries": "speed=1,2"}, "names no setting"),
        ({"tries": "learning_rate=fastx"}, "no values"),
        ({"search": 0.0}, "search is"),
    ],
)
def test_what_makes_no_sense_is_refused(settings, said):
    with pytest.raises(SettingsError, match=said):
        Auto(**settings)


def test_it_joins_no_stack():
    with pytest.raises(SettingsError, match="in a way of its own"):
        method_called("auto+ewc")
