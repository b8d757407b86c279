"""Charts of a board: axes, who is beaten by whom, names that can be read, and small panels."""

import pytest
from hand_made_cases import Given, case_of

from everlearn.bench.report import axes
from everlearn.bench.report.charts import fading_panels, scaling_panels
from everlearn.bench.report.content import Board, Curve, Point
from everlearn.bench.report.matrix import Fading
from everlearn.bench.report.scatter import NAMED, RIGHT, Measure, scatter
from everlearn.bench.report.scoring import score

X, Y = Measure("x", "the x"), Measure("y", "the y")
COST = Measure("x", "the cost", costs=True, label=axes.amount)


def rows_of(figures, labels=()):
    """A row for each method, from pairs of x and y."""
    cases = tuple(case_of(name, ("00", "11"), labels=labels if name == "c" else ()) for name in figures)
    given = [{(name, 1): figure[place] for name, figure in figures.items()} for place in (0, 1)]
    return [row for row in score(Board(cases), {"x": Given("x", given[0]), "y": Given("y", given[1])}) if row.cases]


def test_a_linear_axis_has_round_ticks():
    axis = axes.linear([0.0, 1.0], 0, 100, (0.0, 1.0))
    assert [(tick.at, tick.label) for tick in axis.ticks(axes.share, 2)] == [(0, "0"), (50, "0.5"), (100, "1")]
    assert axes.Axis(-0.3, 0.2, 0, 100).ticks(axes.share, 5)[0].label == "−0.3"


def test_an_axis_can_run_upwards_and_holds_what_lies_beyond():
    axis = axes.Axis(0.0, 2.0, 200.0, 0.0)
    assert [axis.place(value) for value in (0.0, 0.5, 2.0, 9.0, -9.0, float("inf"))] == [200, 150, 0, 0, 200, 0]


def test_a_logarithmic_axis_has_equal_steps_for_equal_ratios():
    axis = axes.Axis(1.0, 100.0, 0.0, 100.0, logarithmic=True)
    assert [axis.place(value) for value in (1, 10, 100, 0)] == [0, 50, 100, 0]
    assert [tick.label for tick in axis.ticks(axes.amount, 3)] == ["1", "10", "100"]


def test_a_short_logarithmic_axis_still_has_ticks():
    assert len(axes.logarithmic([6.0e6, 6.4e6], 0, 100).ticks(axes.amount)) >= 2


@pytest.mark.parametrize(
    ("value", "text"), [(20, "20"), (3000, "3,000"), (2e14, "2×10¹⁴"), (1e13, "10¹³"), (0.5, "0.5")]
)
def test_amounts(value, text):
    assert axes.amount(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.5, "0.5"), (1.0, "1"), (-0.25, "−0.25"), (-0.001, "0"), (0.0, "0")])
def test_shares(value, text):
    assert axes.share(value) == text


def test_the_front_is_what_nothing_beats():
    plot = scatter(rows_of({"a": (0.9, 0.2), "b": (0.5, 0.5), "c": (0.4, 0.4), "d": (0.2, 0.9)}), X, Y)
    assert {dot.name for dot in plot.dots if dot.front} == {"a", "b", "d"}


def test_of_a_cost_less_is_better():
    plot = scatter(rows_of({"a": (10.0, 0.2), "b": (100.0, 0.5), "c": (1000.0, 0.4), "d": (20.0, 0.1)}), COST, Y)
    assert {dot.name for dot in plot.dots if dot.front} == {"a", "b"}
    a, b = (next(dot for dot in plot.dots if dot.name == name) for name in "ab")
    assert plot.front == f"M{a.x} {a.y}L{b.x} {a.y}L{b.x} {b.y}"


def test_references_and_what_was_not_trained_lead_nowhere():
    figures = {"a": (0.5, 0.5), "c": (1.0, 1.0), "joint": (2.0, 2.0)}
    plot = scatter(rows_of(figures, ("nothing trained",)), X, Y)
    assert {dot.name for dot in plot.dots if dot.front} == {"a"}
    assert {dot.name for dot in plot.dots if dot.reference} == {"joint"}


def test_methods_without_a_figure_are_named():
    plot = scatter(rows_of({"a": (0.5, 0.5), "b": (0.6, 0.6), "c": (None, 0.6)}), X, Y)
    assert plot.left_out == ("c", "base")
    assert scatter(rows_of({"a": (0.5, 0.5), "b": (None, 0.6)}), X, Y) is None


def test_a_free_method_has_no_place_on_a_logarithmic_axis():
    assert "a" in scatter(rows_of({"a": (0.0, 0.5), "b": (1.0, 0.6), "c": (2.0, 0.6)}), COST, Y).left_out


def test_a_single_stream_has_no_cross():
    for dot in scatter(rows_of({"a": (0.9, 0.2), "b": (0.5, 0.5)}), X, Y).dots:
        assert (dot.left, dot.right, dot.low, dot.high) == (dot.x, dot.x, dot.y, dot.y)


def test_names_at_the_right_edge_turn_inwards():
    figures = {"a" * 20: (1.0, 0.9), "b": (0.0, 0.1)}
    dot = next(dot for dot in scatter(rows_of(figures), X, Y).dots if len(dot.name) == 20)
    assert dot.x > RIGHT - 60
    assert dot.anchor == "end"


def test_names_of_neighbours_do_not_cover_each_other():
    plot = scatter(rows_of({name: (0.5 + 0.001 * k, 0.5) for k, name in enumerate(("one", "two", "six"))}), X, Y)
    assert len({(dot.name_x, dot.name_y) for dot in plot.dots}) == 3
    assert len({(dot.name_y, dot.anchor) for dot in plot.dots}) == 3


def test_of_many_methods_the_first_the_front_and_references_are_named():
    figures = {f"m{number}": (0.5 - 0.01 * number, 0.5 - 0.01 * number) for number in range(NAMED + 3)}
    plot = scatter(rows_of({**figures, "last": (0.1, 0.9), "joint": (0.9, 0.9)}), X, Y)
    assert {dot.name for dot in plot.dots if not dot.named} == {f"m{NAMED + k}" for k in range(3)}
    assert all(dot.named for dot in scatter(rows_of({"a": (0.5, 0.5), "b": (0.4, 0.4)}), X, Y).dots)


def test_fading_panels_share_their_axes_and_break_at_gaps():
    faded = [
        Fading("a", ((1, (1.0, None, 0.5)), (2, (1.0,))), (1.0, None, 0.5)),
        Fading("base", ((1, (0.0, 0.0, 0.0)),), (0.0, 0.0, 0.0)),
    ]
    one, other = fading_panels(faded, ("base",))
    assert one.up == other.up
    assert one.thick.path == "M28.0 8.0M214.0 58.0"
    assert [trace.name for trace in one.thin] == ["stage 1"]
    assert (one.said, other.reference) == ("1.00 → 0.50 after 2 stages", True)


def test_no_panels_without_values():
    assert fading_panels([Fading("a", (), ())], ()) == ()


def test_scaling_shows_each_method_before_the_others():
    curves = [
        Curve(name, "s", "skills", (Point(4, 0.9, 0.8, 1.0), Point(256, end, 0.1, 0.3)))
        for name, end in (("a", 0.2), ("b", 0.8))
    ]
    ((title, size, panels),) = scaling_panels([*curves, Curve("c", "s", "skills", ())])
    assert (title, size, [panel.title for panel in panels]) == ("s", "skills", ["a", "b"])
    assert panels[0].said == "0.90 → 0.20, from 4 to 256"
    assert panels[0].thin[0].path == panels[1].thick.path
    assert panels[0].thick.path != panels[1].thick.path
