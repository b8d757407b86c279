"""A version in; its recorded exam, its answers to new questions, or a comparison out."""

import sys
from pathlib import Path

import pytest

from everlearn import learner
from everlearn.records import Answer, StageAnswers
from everlearn.store import Store


def test_the_recorded_exam_by_skill_and_stage(call, home):
    shares = {share["name"]: share for share in call("exam", "--json").json["shares"]}
    assert list(shares) == ["all skills", "chat", "format", "rows"]
    assert (shares["all skills"]["right"], shares["all skills"]["asked"]) == (3, 3)
    assert (shares["rows"]["right"], shares["rows"]["asked"]) == (3, 4)
    assert shares["rows"]["low"] < 0.75 < shares["rows"]["high"]


def test_the_page_has_the_same_figures(call, home):
    lines = [line.split() for line in call("exam").out.splitlines()]
    assert ["rows", "3", "4", "75%", "30–95%"] in lines


def test_own_questions_are_asked_now(call, home):
    (home / "new.jsonl").write_text('{"question": "What is the code?", "answer": "43"}\n')
    outcome = call("exam", "--questions", "new.jsonl")
    assert outcome.code == 0
    assert ["new", "0", "1", "0%"] in [line.split()[:4] for line in outcome.out.splitlines()]
    assert "not answered right" in outcome.out
    assert "What is the code?   43      4" in outcome.out
    assert "asking" in outcome.err


def test_the_same_weights_are_not_asked_twice(call, home, monkeypatch):
    lines = [f'{{"question": "What is the code of {name}?", "answer": "43"}}\n' for name in ("Ada", "Bob")]
    (home / "new.jsonl").write_text(lines[0])
    first = call("exam", "--questions", "new.jsonl", "--json").json
    asked = []
    whole = learner.answer_all
    monkeypatch.setattr(
        learner, "answer_all", lambda model, some, meter: asked.append(some) or whole(model, some, meter)
    )
    assert call("exam", "--questions", "new.jsonl", "--json").json == first
    assert not asked
    (home / "new.jsonl").write_text("".join(lines))
    call("exam", "--questions", "new.jsonl")
    assert [len(some) for some in asked] == [1], "only the new question is asked"
    call("exam", "--at", "base", "--questions", "new.jsonl")
    assert len(asked) == 2, "other weights are asked"


def test_asking_leaves_the_store_as_it_was(call, home):
    before = Store.open(home).history()
    call("exam", "--questions", "asked.jsonl")
    assert Store.open(home).history() == before


def test_two_versions_are_compared_question_by_question(call, home):
    found = call("exam", "--compare", "base", "--json").json
    assert found["compared_with"] == Store.open(home).resolve("base")
    assert [one["name"] for one in found["differences"]["general"]] == ["all skills", "chat", "format"]
    assert found["differences"]["stages"] == []


def test_own_questions_can_be_put_to_two_versions(call, home):
    words = ("exam", "--questions", "asked.jsonl", "--compare", "base")
    (difference,) = call(*words, "--json").json["differences"]["stages"]
    assert (difference["before"], difference["after"], difference["questions"]) == (0, 0.75, 4)
    lines = [line.split() for line in call(*words).out.splitlines()]
    assert ["asked", "0%", "75%", "+75"] in [line[:4] for line in lines]


def test_versions_without_common_questions_are_not_compared(call, home, monkeypatch):
    monkeypatch.setattr("everlearn.cli.exam.by_skill", lambda before, after: [])
    assert call("exam", "--compare", "base").out == "no question was put to both versions\n"


@pytest.fixture
def harness_answers(monkeypatch):
    """Stands in for the tasks of lm-evaluation-harness; returns what it was called with."""
    calls = []

    def answer_tasks(self, tasks, at="head", limit=None):
        calls.append((tasks, at, limit))
        right = at != Store.open(Path()).resolve("base")
        return tuple(
            StageAnswers(name, name, tuple(Answer(f"{name}{n}", name, right, "", 0.5) for n in range(2)))
            for name in tasks
        )

    monkeypatch.setattr(learner.Learner, "answer_tasks", answer_tasks)
    return calls


def test_tasks_of_the_harness_are_shown_one_by_one(call, home, harness_answers):
    lines = [line.split() for line in call("exam", "--lm-eval", "arc, local.yaml", "--limit", "2").out.splitlines()]
    assert harness_answers == [(["arc", "local.yaml"], Store.open(home).head(), 2)]
    assert ["arc", "2", "2", "100%"] in [line[:4] for line in lines]
    assert ["local.yaml", "2", "2", "100%"] in [line[:4] for line in lines]


def test_tasks_of_the_harness_can_be_put_to_two_versions(call, home, harness_answers):
    found = call("exam", "--lm-eval", "arc,winogrande", "--compare", "base", "--json").json["differences"]["stages"]
    assert [(one["name"], one["before"], one["after"], one["questions"]) for one in found] == [
        ("arc", 0, 1, 2),
        ("winogrande", 0, 1, 2),
    ]
    assert [limit for _, _, limit in harness_answers] == [None, None]


def test_without_the_extra_two_lines_say_what_to_install(call, home, monkeypatch):
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    for name in ("everlearn.harness_tasks", "everlearn.model.harness"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    outcome = call("exam", "--lm-eval", "arc")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == (
        'error: lm-evaluation-harness cannot be used without lm_eval\nhint: pip install "everlearn[eval]"\n'
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--limit", "3"], "--limit goes with --lm-eval"),
        (["--questions", "asked.jsonl", "--limit", "3"], "--limit goes with --lm-eval"),
        (["--lm-eval", "arc", "--limit", "0"], "a whole number above zero is needed, not '0'"),
        (["--lm-eval", "arc", "--limit", "some"], "a whole number above zero is needed, not 'some'"),
        (["--lm-eval", " , "], "no task is named"),
        (["--lm-eval", "arc", "--questions", "asked.jsonl"], "not allowed with argument"),
    ],
)
def test_wrong_calls(usage_error, home, words, said):
    assert said in usage_error("exam", *words)
