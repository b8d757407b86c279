"""The accuracy matrix, its summary figures, and its table for the terminal."""

import pytest
from hand_made import hand_made, printed

from everlearn.comparison import interval
from everlearn.report.matrix import accuracy_matrix, matrix_table, summarise
from everlearn.report.rate import Rate, wilson


@pytest.fixture
def three():
    """Three stages of four questions; week 3 supersedes the last question of week 1."""
    return hand_made(
        {"week 1": ("1111", "1101", "1000"), "week 2": ("1110", "1111"), "week 3": ("1010",)},
        groups={"week 1": ("same", "same", "same", "changed")},
        before={"week 1": (1, 4, 4), "week 2": (0, 3, 4), "week 3": (2, 2, 4)},
        superseded={("week 1", 3): 3},
    )


def shares(matrix):
    return [[cell and (cell.rate.right, cell.rate.asked) for cell in row] for row in matrix.cells]


def test_rows_are_versions_and_columns_are_groups(three):
    matrix = accuracy_matrix(three)
    assert matrix.rows == ("base", "week 1", "week 2", "week 3")
    assert [column.title for column in matrix.columns] == ["week 1 · same", "week 1 · changed", "week 2", "week 3"]
    assert [column.learnt for column in matrix.columns] == [1, 1, 2, 3]
    assert shares(matrix) == [
        [(1, 4), (1, 4), None, None],
        [(3, 3), (1, 1), (0, 4), None],
        [(2, 3), (1, 1), (3, 4), (2, 4)],
        [(1, 3), (0, 1), (4, 4), (2, 4)],
    ]


def test_the_cell_above_the_diagonal_has_the_counts_of_the_whole_stage(three):
    matrix = accuracy_matrix(three)
    assert [cell and (cell.whole_stage, len(cell.answers)) for cell in matrix.cells[0]] == [(True, 0)] * 2 + [None] * 2
    assert [cell and cell.whole_stage for cell in matrix.cells[2]] == [False, False, False, True]


def test_superseded_questions_are_counted_from_the_version_that_corrected_them(three):
    matrix = accuracy_matrix(three)
    assert [row[1].superseded for row in matrix.cells] == [0, 0, 0, 1]
    assert [row[0].superseded for row in matrix.cells] == [0, 0, 0, 0]


def test_a_question_without_a_group_stands_beside_the_others():
    matrix = accuracy_matrix(hand_made({"a": ("101",)}, groups={"a": ("x", "", "")}))
    assert [(column.title, cell.rate) for column, cell in zip(matrix.columns, matrix.cells[1], strict=True)] == [
        ("a · x", Rate(1, 1)),
        ("a · other", Rate(1, 2)),
    ]


def test_a_stage_without_questions_has_its_two_counts_and_is_not_summed_up():
    matrix = accuracy_matrix(hand_made({"notes": (), "b": ("11",)}, before={"notes": (3, 9, 12), "b": (0, 2, 2)}))
    assert shares(matrix) == [[(3, 12), None], [(9, 12), (0, 2)], [None, (2, 2)]]
    summary = summarise(matrix)
    assert summary.accuracy.questions == summary.learning.questions == 2
    assert summary.backward is None
    assert summary.forgetting is None


def test_the_base_alone_has_nothing_to_sum_up():
    matrix = accuracy_matrix(hand_made({}))
    assert matrix.columns == ()
    assert matrix.cells == ((),)
    assert set(summarise(matrix)) == {None}


def test_summary_by_hand(three):
    matrix = accuracy_matrix(three)
    summary = summarise(matrix)
    assert summary.accuracy.value == pytest.approx((1 / 4 + 4 / 4 + 2 / 4) / 3)
    assert summary.learning.value == pytest.approx((4 / 4 + 3 / 4 + 2 / 4) / 3)
    assert summary.backward.value == pytest.approx(((1 / 4 - 4 / 4) + (4 / 4 - 3 / 4)) / 2)
    assert summary.forgetting.value == pytest.approx(((4 / 4 - 1 / 4) + (3 / 4 - 4 / 4)) / 2)


def test_superseded_questions_are_left_out_of_all_but_learning_accuracy(three):
    summary = summarise(accuracy_matrix(three), three.superseded)
    assert summary.accuracy.value == pytest.approx((1 / 3 + 4 / 4 + 2 / 4) / 3)
    assert summary.learning.value == pytest.approx((4 / 4 + 3 / 4 + 2 / 4) / 3)
    assert summary.backward.value == pytest.approx(((1 / 3 - 3 / 3) + (4 / 4 - 3 / 4)) / 2)
    assert summary.forgetting.value == pytest.approx(((3 / 3 - 1 / 3) + (3 / 4 - 4 / 4)) / 2)
    assert [figure.questions for figure in summary] == [11, 12, 7, 7]


def test_a_stage_superseded_altogether_leaves_the_sums():
    recording = hand_made(
        {"a": ("11", "00"), "b": ("11",)}, superseded={("a", 0): 2, ("a", 1): 2}, before={"a": (0, 2, 2)}
    )
    summary = summarise(accuracy_matrix(recording), recording.superseded)
    assert summary.accuracy.value == 1
    assert summary.backward is None


def test_forgetting_is_measured_from_the_best_version():
    summary = summarise(accuracy_matrix(hand_made({"a": ("1000", "1110", "1100"), "b": ("1", "1"), "c": ("1",)})))
    assert summary.backward.value == pytest.approx(((2 - 1) / 4 + 0) / 2)
    assert summary.forgetting.value == pytest.approx(((3 - 2) / 4 + 0) / 2)


def test_intervals_of_one_stage_are_the_wilson_and_the_paired_one():
    summary = summarise(accuracy_matrix(hand_made({"a": ("1111", "1001"), "b": ()})))
    assert summary.accuracy[1:3] == pytest.approx(wilson(2, 4))
    assert summary.backward[1:3] == pytest.approx(interval(0, 2, 4))
    low, high = interval(0, 2, 4)
    assert summary.forgetting[1:3] == pytest.approx((-high, -low))


def test_the_table_shows_share_count_interval_and_what_the_marks_mean(three):
    shown = printed(matrix_table(accuracy_matrix(three)))
    for expected in (
        "base",
        "3 · week 3",
        "week 1 · same",
        "67%",
        "2/3",
        "21–94%",
        "0%†",
        "25%*",
        "–",
        "† asks",
        "* counts",
    ):
        assert expected in shown


def test_the_table_explains_only_the_marks_it_has():
    shown = printed(matrix_table(accuracy_matrix(hand_made({"a": ("11",)}))))
    assert "†" not in shown
    assert "*" not in shown


def test_names_are_never_read_as_markup():
    shown = printed(matrix_table(accuracy_matrix(hand_made({"[red]week[/red] [link=x]": ("1",)}))))
    assert shown.count("[red]week[/red]") == 2


def test_the_table_fits_an_eighty_column_terminal(three):
    assert max(map(len, printed(matrix_table(accuracy_matrix(three)), 80).splitlines())) <= 80


def test_the_made_up_store_has_the_matrix_of_its_exams(recording):
    matrix = accuracy_matrix(recording)
    for row, version in zip(matrix.cells, recording.versions, strict=True):
        asked = sum(cell.rate.asked for cell in row if cell and not cell.whole_stage)
        assert asked == sum(len(stage.answers) for stage in version.exam.stages)
