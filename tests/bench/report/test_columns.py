"""How the leaderboard writes figures, and which it calls the best."""

from dataclasses import replace

import pytest
from hand_made_cases import Given, case_of

from everlearn.bench.profile import AXES
from everlearn.bench.report.columns import (
    LEADERBOARD,
    PROFILE,
    Column,
    beside,
    best,
    chance_of,
    figure,
    interval,
    label_meaning,
    shown,
)
from everlearn.bench.report.content import Board
from everlearn.bench.report.scoring import installed, score
from everlearn.bench.statistics import Interval
from everlearn.report.words import NO_BREAK

COLUMN = Column("x", "X", "given")


def rows_of(values, better="higher", labels=(), streams=5):
    numbers = range(1, streams + 1)
    cases = tuple(
        case_of(name, ("00", "11"), stream, labels=labels if name == "b" else ())
        for name in values
        for stream in numbers
    )
    given = {(name, stream): value for name, value in values.items() for stream in numbers}
    return score(Board(cases), {"x": Given("x", given, better)})


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.714, "", "0.71"),
        (-0.125, "", "−0.12"),
        (-0.001, "", "0.00"),
        (0.0, "", "0.00"),
        (0.0312, "nats/token", "0.031"),
        (1234.5, "tokens", "1,234"),
        (1.23e15, "FLOPs", "1.2 × 10¹⁵"),
        (0.0, "FLOPs", "0"),
        (18_900_000, "bytes", f"18.9{NO_BREAK}MB"),
        (-2000.0, "bytes", f"−2.0{NO_BREAK}kB"),
        (0.0, "tokens", "0"),
        (12.4, "questions", "12"),
        (3.0e7, "questions", "3.0 × 10⁷"),
    ],
)
def test_figures(value, unit, text):
    assert figure(value, unit) == text


@pytest.mark.parametrize(
    ("low", "high", "streams", "text"),
    [
        (0.65, 0.77, 3, "0.65–0.77"),
        (-0.15, -0.09, 3, "−0.15 to −0.09"),
        (0.5, 0.5, 3, ""),
        (float("-inf"), float("inf"), 1, "1 stream"),
    ],
)
def test_intervals(low, high, streams, text):
    assert interval(Interval(0.5, low, high, streams)) == text


@pytest.mark.parametrize(
    ("streams", "of", "bare", "text"),
    [
        (3, 3, False, "0.65–0.77"),
        (3, 10, False, "0.65–0.77 · 3 of 10 streams"),
        (1, 10, False, "1 of 10 streams"),
        (1, 1, False, "1 stream"),
        (3, 10, True, "3 of 10 streams"),
        (3, 3, True, ""),
    ],
)
def test_a_mean_over_fewer_streams_says_so(streams, of, bare, text):
    assert beside(Interval(0.71, 0.65, 0.77, streams), of, bare=bare) == text


def test_the_best_is_the_highest_or_the_lowest_of_the_methods():
    values = {"a": 0.2, "b": 0.9, "c": 0.9, "joint": 1.0, "d": None}
    assert best(COLUMN, rows_of(values)) == {"b", "c"}
    assert best(COLUMN, rows_of(values, "lower")) == {"a"}
    assert best(COLUMN, rows_of(values, "")) == set()


def test_few_streams_and_scores_that_aim_at_1_have_no_best():
    assert best(COLUMN, rows_of({"a": 0.2, "b": 0.9}, streams=4)) == set()
    assert best(replace(COLUMN, best=False), rows_of({"a": 0.2, "b": 0.9})) == set()


def test_what_was_not_trained_and_who_is_alone_is_not_the_best():
    assert best(COLUMN, rows_of({"a": 0.2, "b": 0.9, "c": 0.1}, labels=("nothing trained",))) == {"a"}
    assert best(COLUMN, rows_of({"a": 0.2})) == set()


def test_columns_without_any_value_are_not_shown():
    assert shown((COLUMN, Column("y", "Y", "")), rows_of({"a": 0.2})) == (COLUMN,)
    assert shown((COLUMN,), rows_of({"a": None})) == ()


def test_every_column_names_a_score_that_exists():
    case = case_of("a", ("0000", "1100", "1111"))
    names = {said.name for desideratum in installed().values() for said in desideratum.scores(case)}
    assert {column.score for column in (*LEADERBOARD, *PROFILE)} <= names
    assert set(AXES.values()) <= {column.score for column in PROFILE}


def test_small_words():
    assert (chance_of(0.0004), chance_of(0.0131)) == ("<0.001", "0.013")
    assert "raw stream" in label_meaning("full replay")
    assert label_meaning("something else") == ""
