"""The exam must be right about what a model would say, and choose only what the base can surely do."""

from __future__ import annotations

import pytest

from everlearn import examiner
from everlearn.examiner import answer_all, make_suite
from everlearn.methods.finetune import Finetune
from everlearn.records import Example, Message, Question
from everlearn.train.checkpoint import Checkpoints
from everlearn.train.meter import Meter
from everlearn.train.run import Run


def question(text: str, *gold: str) -> Question:
    return Question((Message("user", text),), gold, "codes")


@pytest.fixture
def taught(tiny, tmp_path):
    """The tiny model, having learnt that the code is 42."""
    example = Example((Message("user", "Code?"), Message("assistant", "42", learn=True)))
    meter = Meter(1)
    run = Run(0, meter, Checkpoints(tmp_path, meter))
    Finetune(epochs=30, learning_rate=1e-2, least_steps=1).learn(tiny, [example], {}, run)
    return tiny


def test_right_by_teacher_forcing_is_what_greedy_generation_says(taught):
    asked = question("Code?", "42")
    reply = taught.generate([taught.chat.prompt(asked.messages)], 8)[0]
    assert taught.chat.text(list(reply.ids)) == "42"
    (answer,) = answer_all(taught, [asked], Meter(1))
    assert answer.correct
    assert answer.lead > 0
    assert answer.text == "42"


def test_any_accepted_answer_counts_and_no_other(taught):
    right, wrong = answer_all(taught, [question("Code?", "17", "42"), question("Code?", "17", "43")], Meter(1))
    assert right.correct
    assert not wrong.correct
    assert wrong.lead < 0


def test_a_question_beyond_the_context_is_an_error_not_a_crash(taught):
    long, short = answer_all(taught, [question("x" * 600, "42"), question("Code?", "42")], Meter(1))
    assert "context" in long.error
    assert not long.correct
    assert short.correct


def test_the_suite_keeps_what_the_base_surely_does(taught, monkeypatch):
    sure, wrong = question("Code?", "42"), question("Code?", "17")
    monkeypatch.setattr(examiner, "candidates", lambda: [sure, wrong])
    suite, exam = make_suite(taught, Meter(1))
    assert suite.questions == (sure,)
    assert [answer.correct for answer in exam.general] == [True]

    lead = answer_all(taught, [sure], Meter(1))[0].lead
    monkeypatch.setattr(examiner, "SURE", lead + 0.01)
    assert make_suite(taught, Meter(1))[0].questions == ()


def test_the_suite_keeps_so_many_of_a_skill(taught, monkeypatch):
    asked = [question("Code?", "42", other) for other in "abc"]
    monkeypatch.setattr(examiner, "candidates", lambda: asked)
    assert len(make_suite(taught, Meter(1), per_skill=2)[0].questions) == 2


def test_no_more_candidates_are_asked_than_that_takes(taught, monkeypatch):
    """Two wrong ones come first, so that a second round is needed; the last twenty are never asked."""
    asked = [question("Code?", other) for other in ("17", "18")] + [question("Code?", "42", str(n)) for n in range(24)]
    monkeypatch.setattr(examiner, "candidates", lambda: asked)
    posed = []
    monkeypatch.setattr(
        examiner, "answer_all", lambda model, some, meter: posed.extend(some) or answer_all(model, some, meter)
    )
    suite, exam = make_suite(taught, Meter(1), per_skill=3)
    assert suite.questions == tuple(asked[2:5])
    assert len(exam.general) == 3
    assert posed == asked[: len(posed)]
    assert len(posed) <= 7
