"""Coordinates of line charts."""

from everlearn.report.chart import BOTTOM, LABELS, LEFT, RIGHT, TOP, Value, line_chart


def test_marks_lie_where_the_values_say():
    chart = line_chart([("kept", [Value(1.0, 0.5, 1.0), Value(0.0, 0.0, 0.25)])], 1.0, [(0.5, "half")])
    first, second = chart.lines[0].marks
    assert (first.y, first.low, first.high) == (TOP, (TOP + BOTTOM) / 2, TOP)
    assert (second.y, second.high) == (BOTTOM, BOTTOM - (BOTTOM - TOP) / 4)
    assert LEFT < first.x < second.x < RIGHT
    assert chart.up[0].at == (TOP + BOTTOM) / 2
    assert [tick.label for tick in chart.across] == ["base", "1"]
    assert [tick.at for tick in chart.across] == [first.x, second.x]


def test_a_missing_value_leaves_a_gap():
    value = Value(0.5, 0.5, 0.5)
    (line,) = line_chart([("learnt", [None, value, value, None, value])], 1.0, []).lines
    assert len(line.marks) == 3
    assert [part[0] for part in line.path.split(" ") if part[0] in "ML"] == ["M", "L", "M"]


def test_two_lines_do_not_hide_each_other():
    values = [Value(0.5, 0.4, 0.6)]
    one, other = line_chart([("learnt", values), ("kept", values)], 1.0, []).lines
    assert other.marks[0].x - one.marks[0].x >= 4


def test_many_versions_are_not_all_named():
    chart = line_chart([("kept", [Value(1, 1, 1)] * 100)], 1.0, [])
    assert len(chart.across) <= LABELS
    assert len(chart.lines[0].marks) == 100
