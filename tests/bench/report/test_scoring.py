"""Rows of a board: means over streams, references found beside cases, and what they do not claim."""

import math

import pytest
from hand_made_cases import Given, case_of, moment_of, probes_of

from everlearn.bench.report.content import Board, reference_cases
from everlearn.bench.report.scoring import beside, installed, placed_beside, score
from everlearn.desiderata.contract import Trial
from everlearn.errors import SettingsError

GROWING = ("0000", "1100", "1111")


def test_a_mean_over_streams_has_students_interval():
    board = Board(tuple(case_of("a", GROWING, stream) for stream in (1, 2, 3)))
    (row, *_) = score(board, {"given": Given("x", {("a", 1): 0.2, ("a", 2): 0.3, ("a", 3): 0.7})})
    spread = row.scores["x"].spread
    # sd = sqrt((0.04 + 0.01 + 0.09) / 2) = 0.264575; t(0.975, 2) = 4.302653; half = 0.657245
    assert (spread.value, spread.streams) == (pytest.approx(0.4), 3)
    assert (spread.low, spread.high) == (pytest.approx(0.4 - 0.657245, abs=1e-5), pytest.approx(1.057245, abs=1e-5))


def test_an_undefined_stream_is_left_out_and_its_note_is_kept_once():
    board = Board(tuple(case_of("a", GROWING, stream) for stream in (1, 2, 3)))
    (row, *_) = score(board, {"given": Given("x", {("a", 2): 0.3})})
    scored = row.scores["x"]
    assert scored.values == {1: None, 2: 0.3, 3: None}
    assert scored.spread.value == 0.3
    assert (scored.spread.streams, scored.spread.low) == (1, -math.inf)
    assert scored.notes == ("not given",)


def test_a_score_without_any_value_has_no_mean():
    (row, *_) = score(Board((case_of("a", GROWING),)), {"given": Given("x", {})})
    assert row.scores["x"].spread is None
    assert row.mean("x") is None
    assert row.mean("no such score") is None


def test_methods_come_in_their_order_and_references_after_them():
    cases = (case_of("joint", GROWING), case_of("b", GROWING, joint="1111", solo=GROWING[1:]), case_of("a", GROWING))
    assert [(row.method, row.reference) for row in score(Board(cases), {})] == [
        ("b", False),
        ("a", False),
        ("base", True),
        ("joint", True),
        ("solo", True),
    ]


def test_who_learns_and_keeps_comes_first():
    one_sided = {"forgets": (0.9, 0.1), "idle": (0.1, 1.0)}  # harmonic means 0.18 and 0.18
    harmed = {"much harmed": (-0.5, 0.9), "harmed": (-0.1, 0.9)}
    figures = {**harmed, **one_sided, "no figure": (0.0, None), "does both": (0.5, 0.5), "joint": (1.0, 1.0)}
    board = Board(tuple(case_of(name, GROWING, joint="1111") for name in figures))
    given = {
        score_name: Given(score_name, {(name, 1): pair[place] for name, pair in figures.items()})
        for place, score_name in enumerate(("JNS", "rho"))
    }
    methods = [row.method for row in score(board, given)]
    assert methods == ["does both", "idle", "forgets", "harmed", "much harmed", "no figure", "base", "joint"]


def test_streams_of_a_row_are_in_order_and_labels_stand_once():
    cases = tuple(case_of("a", GROWING, stream, labels=("full replay",)) for stream in (3, 1, 2))
    row = score(Board(cases), {})[0]
    assert [case.trial.stream for case in row.cases] == [1, 2, 3]
    assert row.labels == ("full replay",)


def test_references_are_made_once_for_each_stream():
    cases = tuple(case_of(name, GROWING, stream, joint="1110") for name in "ab" for stream in (1, 2))
    made = reference_cases(cases)
    assert sorted((case.trial.method, case.trial.stream) for case in made) == [
        ("base", 1),
        ("base", 2),
        ("joint", 1),
        ("joint", 2),
    ]


def test_a_reference_of_one_moment_stands_at_the_end():
    (base, joint) = reference_cases((case_of("a", GROWING, joint="1110"),))
    assert [moment.stage for moment in joint.trial.moments] == [2]
    assert [moment.stage for moment in base.trial.moments] == [2]
    assert joint.trial.after(2).by_probe["p2.0"].correct
    assert not joint.trial.after(2).by_probe["p2.1"].correct


def test_a_reference_that_is_a_case_already_is_not_made_again():
    cases = (case_of("a", GROWING, joint="1110"), case_of("joint", GROWING))
    assert [case.trial.method for case in reference_cases(cases)] == ["base"]


def test_solo_training_claims_nothing_about_one_model_at_the_end():
    board = Board((case_of("a", GROWING, joint="1111", solo=("1100", "0010")),))
    solo = {row.method: row for row in score(board, installed())}["solo"]
    assert solo.mean("LA") == pytest.approx((1.0 + 0.5) / 2)
    assert solo.mean("ACC") is None
    assert solo.mean("BWT") is None
    assert solo.scores["ACC"].notes == ("not one model",)


def test_the_base_beside_a_case_has_no_cost_and_no_gain():
    board = Board((case_of("a", GROWING, joint="1111", flops=5.0),))
    rows = {row.method: row for row in score(board, installed())}
    assert (rows["a"].mean("FLOPs"), rows["base"].mean("FLOPs")) == (10.0, 0.0)
    assert (rows["a"].mean("JNS"), rows["base"].mean("JNS"), rows["joint"].mean("JNS")) == (1.0, 0.0, 1.0)


def test_an_empty_reference_is_left_out():
    case = case_of("a", GROWING)
    assert [c.trial.method for c in reference_cases((case,))] == ["base"]
    probes = probes_of(2)
    assert moment_of(1, "1010", probes).by_probe["p2.0"].correct
    assert Trial("x", 1, ()).moments == ()


def test_installed_scores_are_the_plug_ins():
    assert {"preservation", "sequence", "composition"} <= set(installed())


# --- over streams and over grids ----------------------------------------------------------------------------


def test_acc_scatters_over_streams():
    # ACC = 1, .5 and 0: SD .5
    cases = tuple(case_of("a", ("0000", "1100", last), stream) for stream, last in enumerate(("1111", "1010", "0000")))
    orders = score(Board(cases), {})[0].orders
    assert (orders.spread, orders.worst, orders.best, orders.streams) == (pytest.approx(0.5), 0, 1, 3)
    assert score(Board(cases[:1]), {})[0].orders is None


def test_solo_training_has_no_acc_that_could_scatter():
    cases = tuple(case_of("a", GROWING, stream, solo=GROWING[1:]) for stream in (1, 2))
    rows = {row.method: row for row in score(Board(cases), {})}
    assert rows["a"].orders.spread == 0
    assert rows["solo"].orders is None


def scored_by(title="other", **figures):
    """A board of methods on one stream with the LA given, and its rows."""
    cases = tuple(case_of(name, GROWING, labels=("nothing trained",) * (name == "idle")) for name in figures)
    board = Board(cases, title)
    return board, score(board, {"given": Given("LA", {(name, 1): value for name, value in figures.items()})})


def test_only_methods_that_both_boards_have_are_ranked():
    _, rows = scored_by(a=0.1, b=0.5, c=0.9, idle=0.0, mine=0.7)
    other, others = scored_by(c=0.3, joint=0.9, b=0.1, a=0.2, idle=0.0)
    found = beside(rows, other, others)
    assert (found.title, found.arms) == ("other", ("a", "b", "c"))
    (only,) = found.agreements
    # ranks 1 2 3 against 2 1 3
    assert (only.score, only.arms) == ("LA", ("a", "b", "c"))
    assert (only.spearman, only.kendall) == (pytest.approx(0.5), pytest.approx(1 / 3))


def test_a_method_without_a_mean_is_left_out_of_that_score():
    _, rows = scored_by(a=0.1, b=None, c=0.9)
    other, others = scored_by(a=0.1, b=0.2, c=0.3)
    (only,) = beside(rows, other, others).agreements
    assert only.arms == ("a", "c")


def test_one_method_in_common_is_an_error_with_a_way_out():
    _, rows = scored_by(a=0.1, b=0.5)
    for figures, said in (({"a": 1, "idle": 2, "base": 3}, "1 method in common with other"), ({"x": 1}, "no methods")):
        with pytest.raises(SettingsError, match=said) as stop:
            beside(rows, *scored_by(**figures))
        assert "run the same --methods on both" in stop.value.hint


def test_a_board_beside_itself_agrees_with_itself(board):
    found = placed_beside(board, board).beside
    assert found.arms == ("anchored", "replay", "finetune"), "nothing has trained nothing"
    assert [one.score for one in found.agreements][:5] == ["LA", "BWT", "ACC", "JNS", "rho"]
    assert all(one.spearman == pytest.approx(1) for one in found.agreements if one.spearman is not None)
