"""Two versions in, what lies between them out."""

import pytest

from everlearn.store import Store

from .conftest import TO_NO_AVAIL


def test_what_was_taught_in_between(call, home):
    found = call("diff", "base", "head", "--json").json
    assert [one["stage"] for one in found["taught"]] == ["rows", "notes"]
    assert found["taught"][0]["samples"][0] == "What is the code? → 42"
    assert found["missing"] == []


def test_a_version_that_was_never_asked_is_asked_now(call, home):
    outcome = call("diff", "base", "head", "--json")
    (rows,) = outcome.json["stages"]
    assert (rows["name"], rows["before"], rows["after"], rows["questions"]) == ("rows", 0, 0.75, 4)
    base = Store.open(home).resolve("base")
    assert f"asking {base[:8]}" in outcome.err


def test_questions_won_have_both_answers(call, home):
    found = call("diff", "base", "head", "--json").json
    assert sorted(one["question"] for one in found["won"]) == ["What is the code?", "When does it open?", "Who leads?"]
    for one in found["won"]:
        assert (one["before"]["correct"], one["after"]["correct"]) == (False, True)
    assert found["lost"] == []


def test_backwards_the_same_questions_are_lost_and_the_stages_missing(call, home):
    found = call("diff", "head", "base", "--json").json
    assert len(found["lost"]) == 3
    assert [one["stage"] for one in found["missing"]] == ["rows", "notes"]
    assert found["taught"] == []


def test_weights_moved_in_every_layer(call, home):
    found = call("diff", "base", "head", "--json").json
    assert list(found["distances"]) == ["embedding", "layer 0", "layer 1", "norm and head"]
    assert all(distance > 0 for distance in found["distances"].values())
    same = call("diff", "head", "head", "--json").json
    assert all(distance == 0 for distance in same["distances"].values())


def test_the_page_answers_what_it_learnt(call, home):
    out = call("diff", "base", "head").out
    head = Store.open(home).head()[:8]
    assert f"{head} has learnt notes" in out
    assert "won: 3" in out
    assert "layer 1" in out
    assert max(map(len, out.splitlines())) <= 80


def test_by_default_head_and_the_version_before_it(call, home):
    found = call("diff", "--json").json
    store = Store.open(home)
    assert (found["before"], found["after"]) == (store.resolve("head~1"), store.head())


def test_a_corrected_question_is_not_counted_as_lost(call, home):
    (home / "corrections.jsonl").write_text('{"question": "What is the code?", "wrong": "42", "right": "77"}\n')
    code = call("learn", "corrections.jsonl", *TO_NO_AVAIL).code
    corrected = Store.open(home).head() if code == 0 else max(Store.open(home).rejected(), key=_made(home))
    found = call("diff", "base", corrected, "--json").json
    assert found["superseded"] == 1
    assert "What is the code?" not in [one["question"] for one in found["won"] + found["lost"]]


def _made(home):
    return lambda name: "corrections" in Store.open(home).commit(name).message


@pytest.mark.parametrize("reference", ["head~9", "0000"])
def test_an_unknown_reference(call, home, reference):
    outcome = call("diff", "base", reference)
    assert outcome.code == 1
    assert len(outcome.err.splitlines()) == 2
