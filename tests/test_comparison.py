"""Intervals cover the truth as often as they say, and the verdict follows the interval."""

from __future__ import annotations

import random

import pytest

from everlearn.comparison import FAIL, PASS, UNDECIDED, compare, interval, questions_needed
from everlearn.records import Answer


def answers(marks: str) -> list[Answer]:
    """One answer for each mark: `1` right, `0` wrong."""
    return [Answer(f"q{number}", "g", mark == "1", "", 0.0) for number, mark in enumerate(marks)]


def test_pairs_are_matched_by_question_not_by_place():
    before, after = answers("1100"), list(reversed(answers("1100")))
    result = compare("x", before, after, -0.5)
    assert (result.before, result.after, result.questions) == (0.5, 0.5, 4)


def test_questions_that_were_not_asked_before_are_left_out():
    assert compare("x", answers("11"), answers("1111"), 0.0).questions == 2


@pytest.mark.parametrize(
    ("before", "after", "least", "verdict"),
    [
        ("1" * 300, "1" * 300, -0.03, PASS),
        ("1" * 300, "1" * 200 + "0" * 100, -0.03, FAIL),
        ("1" * 40, "1" * 38 + "00", -0.03, UNDECIDED),
        ("0" * 40, "1" * 30 + "0" * 10, 0.0, PASS),
    ],
)
def test_the_verdict_is_where_the_interval_lies(before, after, least, verdict):
    assert compare("x", answers(before), answers(after), least).verdict == verdict


def test_no_questions_are_no_evidence():
    assert compare("x", [], [], 0.0).verdict == UNDECIDED


@pytest.mark.parametrize(("gain", "loss"), [(0.1, 0.05), (0.02, 0.02), (0.3, 0.0)])
def test_the_interval_covers_the_true_difference(gain, loss):
    source = random.Random(1)
    covered = 0
    for _ in range(1000):
        draws = [source.random() for _ in range(120)]
        won, lost = sum(d < gain for d in draws), sum(gain <= d < gain + loss for d in draws)
        low, high = interval(won, lost, 120)
        covered += low <= gain - loss <= high
    assert covered >= 930


def test_the_questions_needed_do_decide():
    won, lost, count = 2, 6, 100
    needed = questions_needed(won, lost, count, 0.0)
    scale = needed / count
    assert interval(round(won * scale), round(lost * scale), needed)[1] < 0.005
    assert interval(won, lost, count)[1] > 0.005
