"""Rates, their intervals, and means of them."""

import math

import pytest
from hand_made import answers, question

from everlearn.comparison import interval
from everlearn.records import Answer
from everlearn.report.rate import (
    Estimate,
    Rate,
    difference,
    mean,
    rate_of,
    still_right,
    still_right_by_group,
    wilson,
)

FOUR = [question("s", number) for number in range(4)]


@pytest.mark.parametrize(
    ("right", "asked", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_values_of_newcombe_1998(right, asked, low, high):
    assert wilson(right, asked) == pytest.approx((low, high), abs=5e-5)
    assert wilson(asked - right, asked) == pytest.approx((1 - high, 1 - low), abs=5e-5)
    rate = Rate(right, asked)
    assert (rate.share, rate.low, rate.high) == (right / asked, *wilson(right, asked))


def test_rate_of_counts_and_is_none_of_nothing():
    assert rate_of(answers(FOUR, "1101")) == Rate(3, 4)
    assert rate_of([]) is None


def test_still_right_asks_only_what_was_right_before():
    assert still_right(answers(FOUR, "1100"), answers(FOUR, "1011")) == Rate(1, 2)
    assert still_right(answers(FOUR, "0000"), answers(FOUR, "1111")) is None
    assert still_right(answers(FOUR[:2], "11"), answers(FOUR[1:], "110")) == Rate(1, 1)


def test_still_right_by_group_leaves_out_a_group_that_was_never_right():
    asked = [question("s", number, group) for number, group in enumerate("babc")]
    before, after = answers(asked, "1110"), answers(asked, "1001")
    assert list(still_right_by_group(before, after).items()) == [("a", Rate(0, 1)), ("b", Rate(1, 2))]


def test_difference_is_paired_by_question():
    before = answers(FOUR, "1100")
    after = tuple(reversed(answers(FOUR, "0111")))
    assert difference(before, after) == Estimate(0.25, *interval(2, 1, 4), 4)
    assert difference(before, answers([question("other", 1)], "1")) is None


def test_a_question_that_failed_counts_as_wrong():
    assert rate_of([Answer("q", "", False, "", 0.0, "longer than the context")]) == Rate(0, 1)


def test_mean_recovers_variances_from_the_parts():
    parts = [Estimate(0.5, 0.3, 0.6, 10), Estimate(0.9, 0.5, 1.0, 20)]
    found = mean(parts)
    assert found.value == pytest.approx(0.7)
    assert found.low == pytest.approx(0.7 - math.hypot(0.2, 0.4) / 2)
    assert found.high == pytest.approx(0.7 + math.hypot(0.1, 0.1) / 2)
    assert found.questions == 30
    assert mean([]) is None


def test_mean_of_one_rate_is_that_rate():
    assert mean([Rate(8, 10)]) == pytest.approx((0.8, *wilson(8, 10), 10))
