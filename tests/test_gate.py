"""The gate refuses loss against parent and base, refuses having learnt nothing, and says when it cannot tell."""

from __future__ import annotations

from everlearn.gate import Bounds, judge
from everlearn.records import Answer, Exam, StageAnswers, Verdict


def answers(right: int, wrong: int, name: str = "q") -> tuple[Answer, ...]:
    """The first `right` of right + wrong questions answered right."""
    marks = [True] * right + [False] * wrong
    return tuple(Answer(f"{name}{number}", "skill", mark, "", 0.0) for number, mark in enumerate(marks))


def exam(right: int, wrong: int = 0, stages: tuple[StageAnswers, ...] = ()) -> Exam:
    return Exam(answers(right, wrong), stages)


LEARNT = (answers(0, 40, "new"), answers(30, 10, "new"))


def verdict(parent: Exam, base: Exam, commit: Exam, learnt=LEARNT, superseded=()) -> Verdict:
    return judge(parent, base, commit, learnt, Bounds(), superseded)


def test_learning_without_loss_is_accepted():
    assert verdict(exam(400), exam(400), exam(400)).accepted


def test_a_loss_of_general_ability_is_refused():
    outcome = verdict(exam(400), exam(400), exam(360, 40))
    assert not outcome.accepted
    assert "general, against the parent: 1.000 → 0.900" in outcome.reason


def test_slow_drift_is_caught_by_the_base():
    """Each version loses one point against its parent, which no parent-only gate would refuse."""
    version, refused_at = 400, 0
    for number in range(1, 12):
        after = version - 4
        outcome = verdict(exam(version, 400 - version), exam(400), exam(after, 400 - after))
        if not outcome.accepted:
            refused_at = number
            assert "against the base" in outcome.reason
            break
        version = after
    assert 0 < refused_at <= 4


def test_nothing_learnt_is_a_refusal():
    outcome = verdict(exam(400), exam(400), exam(400), (answers(5, 35, "new"), answers(5, 35, "new")))
    assert not outcome.accepted
    assert "nothing trained" in outcome.reason


def test_too_few_questions_are_said_to_be_too_few():
    outcome = verdict(exam(20), exam(20), exam(20))
    assert outcome.accepted
    assert "not enough evidence" in outcome.reason
    assert "questions would tell" in outcome.reason


def test_a_lost_earlier_stage_is_refused_unless_it_was_superseded():
    before = exam(400, stages=(StageAnswers("s", "week 1", answers(40, 0, "old")),))
    after = exam(400, stages=(StageAnswers("s", "week 1", answers(20, 20, "old")),))
    assert not verdict(before, exam(400), after).accepted
    changed = {f"old{number}" for number in range(20, 40)}
    assert verdict(before, exam(400), after, superseded=changed).accepted
