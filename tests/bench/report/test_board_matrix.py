"""Matrices of a board: means over streams, how stages fade, and what is shown of many stages."""

import pytest
from hand_made_cases import case_of

from everlearn.bench.report.content import Board
from everlearn.bench.report.matrix import evenly, fading, matrix_of, step_of
from everlearn.bench.report.scoring import score


def row_of(*cases):
    return score(Board(cases), {})[0]


def test_a_matrix_is_the_mean_over_streams():
    one = case_of("a", ("0000", "1100", "1011"), 1)
    other = case_of("a", ("0000", "1000", "0011"), 2)
    matrix = matrix_of(row_of(one, other))
    assert matrix.cells == ((0.0, 0.0), (0.75, 0.0), (0.25, 1.0))
    assert (matrix.streams, matrix.rows, matrix.columns) == (2, (0, 1, 2), (1, 2))


def test_what_did_not_learn_stage_by_stage_has_no_matrix():
    rows = {row.method: row for row in score(Board((case_of("a", ("0000", "1100", "1111"), joint="1111"),)), {})}
    assert matrix_of(rows["joint"]) is None
    assert matrix_of(rows["base"]) is None
    assert matrix_of(rows["a"]) is not None


def test_fading_follows_each_stage_from_where_it_was_learnt():
    marks = ("000000", "110000", "101100", "001011")
    faded = fading(matrix_of(row_of(case_of("a", marks))))
    assert faded.stages == ((1, (1.0, 0.5, 0.0)), (2, (1.0, 0.5)), (3, (1.0,)))
    assert faded.mean == (1.0, 0.5, 0.0)


def test_fading_takes_the_mean_over_those_that_were_followed_by_so_many():
    marks = ("000000", "110000", "111000", "100011")
    # after one more stage: 1.0 of stage 1, 0.0 of stage 2
    assert fading(matrix_of(row_of(case_of("a", marks)))).mean == (pytest.approx((1 + 0.5 + 1) / 3), 0.5, 0.5)


def test_of_many_places_evenly_spaced_ones_are_shown_with_the_last():
    assert evenly(range(1, 13), 16) == tuple(range(1, 13))
    assert evenly(range(1, 49), 16) == tuple(range(3, 49, 3))
    assert evenly(range(1, 202), 16)[-1] == 201
    assert len(evenly(range(1, 202), 16)) <= 16


@pytest.mark.parametrize(("value", "step"), [(-0.4, 0), (0.0, 0), (0.099, 0), (0.1, 1), (0.7, 7), (1.0, 10), (1.3, 10)])
def test_steps_of_colour(value, step):
    assert step_of(value) == step


def test_the_picture_has_every_shown_cell_once():
    picture = matrix_of(row_of(case_of("a", ("0000", "1100", "1011")))).picture
    assert dict(picture) == {
        0: "M0 0h1v1h-1zM1 0h1v1h-1zM1 1h1v1h-1z",
        5: "M0 2h1v1h-1z",
        10: "M0 1h1v1h-1zM1 2h1v1h-1z",
    }
