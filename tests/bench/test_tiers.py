"""A tier's name in; its streams and what counts as general ability on it out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from everlearn.bench.tiers import FAMILIES, FIRST_DEV_SEED, FIRST_SEED, PASSAGE_LENGTH, TIERS, prose, tier
from everlearn.errors import SettingsError
from everlearn.plugins import names

from .conftest import words_of


def test_stages_are_as_many_as_the_tiers_promise():
    assert {name: one.plan().stages for name, one in TIERS.items()} == {"smoke": 6, "lab": 12, "smollm2": 6, "any": 21}


def test_every_family_that_is_installed_is_in_a_stream():
    assert sorted(FAMILIES) == names("streams")


def test_dev_streams_are_far_from_those_of_grids():
    assert FIRST_DEV_SEED - FIRST_SEED >= 1000 + 1000  # also from what wrong-stream arms learn


def test_an_unknown_tier_is_named():
    with pytest.raises(SettingsError, match="there is no tier 'smollm'") as error:
        tier("smollm")
    assert "did you mean 'smollm2'?" in error.value.hint


def test_prose_is_whole_words_of_bounded_length_and_no_code():
    passages = [example.messages[0].content for example in prose(30)]
    assert len(passages) == len(set(passages)) == 30
    assert all(PASSAGE_LENGTH // 2 - 20 < len(text) <= PASSAGE_LENGTH for text in passages)
    assert not any("\n" in text or ">>>" in text for text in passages)


def test_the_lab_model_may_know_every_family_and_how_to_read():
    candidates = tier("lab").candidates()
    kinds = {posed.asked.kind for posed in candidates.questions}
    assert kinds == {*FAMILIES, "reading"}
    assert all(posed.asked.axis == "general" and posed.asked.stages == () for posed in candidates.questions)
    identities = [posed.asked.id for posed in candidates.questions]
    assert len(identities) == len(set(identities))
    first = [posed.question.group for posed in candidates.questions if posed.asked.kind == "facts"][:8]
    assert len(set(first)) == 8, "the first so many are of all kinds"


@pytest.mark.parametrize("name", ["lab", "smollm2"])
def test_each_half_of_the_general_questions_has_enough_of_every_skill(name):
    one = tier(name)
    whole = one.candidates()
    dev, test = whole.half(dev=True), whole.half(dev=False)
    assert len(dev.questions) + len(test.questions) == len(whole.questions)
    assert not {posed.asked.id for posed in dev.questions} & {posed.asked.id for posed in test.questions}
    assert dev.texts == test.texts == whole.texts
    for half in (dev, test):
        counts = Counter(posed.asked.kind for posed in half.questions)
        assert counts.keys() == {posed.asked.kind for posed in whole.questions}
        assert min(counts.values()) >= 12


def test_the_half_of_a_question_does_not_depend_on_the_others():
    whole = tier("smollm2").candidates()
    few = replace(whole, questions=whole.questions[::7])
    assert set(few.half(dev=True).questions) <= set(whole.half(dev=True).questions)


def test_no_stream_of_the_lab_uses_a_word_that_its_model_grew_up_with():
    from everlearn.bench.stream import generate

    plan = tier("lab").plan()
    stream = generate(plan, FIRST_SEED)
    assert plan.taken
    assert not set(plan.taken) & {word.strip(".,:;?!'\"()") for word in words_of(stream.stages)}
