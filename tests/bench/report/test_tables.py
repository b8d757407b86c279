"""The tables as CSV: every figure, nothing that a spreadsheet would run."""

import csv

import pytest
from hand_made_cases import Given, case_of

from everlearn.bench.agreement import agreement
from everlearn.bench.report.content import Beside, Board, Curve, Point
from everlearn.bench.report.tables import write_csv
from everlearn.errors import EverlearnError

MARKS = ("0000", "1100", "1011")


def read(paths):
    return {path.stem: list(csv.DictReader(path.open(encoding="utf-8"))) for path in paths}


@pytest.fixture
def tables(tmp_path):
    cases = tuple(case_of("a", MARKS, stream, flops=7.0) for stream in (1, 2))
    curves = (Curve("a", "s", "skills", (Point(4, 0.9, 0.8, 1.0),)),)
    given = Given("x", {("a", 1): 0.25, ("a", 2): 0.75}, "lower", "nats")
    return read(write_csv(Board(cases, curves=curves), tmp_path / "new", {"given": given}))


def test_means_and_single_streams(tables):
    mean, base = tables["means"]
    names = ("method", "reference", "desideratum", "score", "better", "unit", "mean", "streams")
    assert [mean[name] for name in names] == ["a", "no", "given", "x", "lower", "nats", "0.5", "2"]
    assert float(mean["low"]) < 0.25
    assert float(mean["high"]) > 0.75
    assert [base[name] for name in ("method", "reference", "mean", "streams", "note")] == [
        "base",
        "yes",
        "",
        "0",
        "not given",
    ]
    assert [(row["method"], row["stream"], row["value"]) for row in tables["scores"]] == [
        ("a", "1", "0.25"),
        ("a", "2", "0.75"),
        ("base", "1", ""),
        ("base", "2", ""),
    ]


def test_matrices_kinds_costs_and_curves(tables):
    cells = {(row["learnt"], row["stage"]): row["accuracy"] for row in tables["matrices"]}
    assert len(tables["matrices"]) == len(cells) == 6
    assert [cells[at] for at in (("0", "1"), ("1", "1"), ("1", "2"), ("2", "1"), ("2", "2"))] == [
        "0.0",
        "1.0",
        "0.0",
        "0.5",
        "1.0",
    ]
    assert [(row["kind"], row["method"], row["right"]) for row in tables["kinds"]] == [
        ("direct", "a", "0.75"),
        ("direct", "base", "0.0"),
    ]
    learnt = [row for row in tables["costs"] if row["method"] == "a"]
    assert [(row["stream"], row["stage"], row["tokens new"], row["FLOPs"]) for row in learnt] == [
        ("1", "1", "10", "7.0"), ("1", "2", "10", "7.0"), ("2", "1", "10", "7.0"), ("2", "2", "10", "7.0"),
    ]  # fmt: skip
    assert tables["curves"][0]["across"] == "4"
    assert tables["comparisons"] == []


def test_comparisons_have_every_verdict(board, tmp_path):
    found = read(write_csv(board, tmp_path, {}))["comparisons"]
    assert [row["axis"] for row in found] == ["atom", "composition", "general"]
    assert {(row["a"], row["b"], row["streams"]) for row in found} == {("anchored", "replay", "2")}


def test_spread_over_orders_and_what_another_grid_says(tmp_path):
    cases = tuple(case_of("a", ("0000", "1100", last), stream) for stream, last in ((1, "1111"), (2, "1010")))
    ranked = agreement("LA", {"a": 1, "b": 2, "c": 3}, {"a": 2, "b": 1, "c": 3})
    board = Board(cases, beside=Beside("another", "m", ("a", "b", "c"), (ranked, agreement("BWT", {}, {}))))
    tables = read(write_csv(board, tmp_path, {}))
    # ACC 1 and .5: SD .5 / √2
    row, base = tables["orders"]
    assert [row[name] for name in ("method", "worst", "best", "streams")] == ["a", "0.5", "1.0", "2"]
    assert float(row["SD of ACC"]) == pytest.approx(0.5 / 2**0.5)
    assert (base["method"], base["reference"], base["SD of ACC"]) == ("base", "yes", "0.0")
    learnt, kept = tables["agreement"]
    assert (learnt["beside"], learnt["score"], learnt["methods"]) == ("another", "LA", "3")
    assert [float(learnt[name]) for name in ("Spearman's rho", "Kendall's tau-b", "p of rho")] == pytest.approx(
        [0.5, 1 / 3, 1.0]
    )
    assert (kept["Spearman's rho"], kept["p of tau-b"], kept["methods"]) == ("", "", "0")


def test_a_single_stream_has_empty_bounds(tmp_path):
    board = Board((case_of("a", MARKS),))
    row = read(write_csv(board, tmp_path, {"given": Given("x", {("a", 1): 0.25})}))["means"][0]
    assert (row["mean"], row["low"], row["high"]) == ("0.25", "", "")


def test_no_field_is_a_formula(tmp_path):
    board = Board((case_of("=HYPERLINK(1)", MARKS), case_of('+a,\n"b', MARKS)))
    rows = read(write_csv(board, tmp_path, {"given": Given("x", {("=HYPERLINK(1)", 1): -0.5})}))["means"]
    assert [row["method"] for row in rows] == ["'=HYPERLINK(1)", "'+a,\n\"b", "base"]
    assert rows[0]["mean"] == "-0.5"


def test_a_folder_that_cannot_be_written_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EverlearnError, match="cannot write the report"):
        write_csv(Board((case_of("a", MARKS),)), tmp_path / "file", {})
