"""Calls in, values out; everything that is no call, or goes too far, is refused."""

import pytest

from everlearn.interpreter import DEEPEST, LONGEST_TEXT, OPERATIONS, CallError, Function, Outcome, apply, run, show

FUNCTIONS = {
    "balori": Function("subtract", (0, 1)),
    "dukemi": Function("take", (1, 0)),
    "rupasi": Function("append", (0, 1)),
    "tenoka": Function("turn", (0, 1)),
    "fisavu": Function("count", (1, 0)),
}

VALUES = [
    ("balori(8, 3)", 5),
    ("  balori ( 8 ,3 ) ", 5),
    ("balori(3, 8)", -5),
    ("dukemi(2, (5, 2, 7))", (5, 2)),
    ("dukemi(2, [5, 2, 7])", (5, 2)),
    ("dukemi(1, (k, m, t))", ("k",)),
    ("dukemi(balori(5, 3), (5, 2, 7))", (5, 2)),
    ("rupasi(dukemi(2, (5, 2, 7)), balori(8, 3))", (5, 2, 5)),
    ("fisavu(6, 3)", (3, 4, 5, 6)),
    ("(balori(8, 3), 4)", (5, 4)),
    ("5", 5),
    ("k", "k"),
    ("()", ()),
]

REFUSED = [
    ("", "breaks off"),
    ("balori(8, 3", "breaks off"),
    ("balori(8, 3))", "follows the end"),
    ("balori(8, 3) 5", "follows the end"),
    ("balori(8 3)", "where a comma"),
    ("balori(8, 3]", "where a comma"),
    ("balori(8,, 3)", "no value"),
    ("balori(8, 3,)", "no value"),
    ("balori 8, 3", "no value"),
    ("balori", "no value"),
    ("zozo(8, 3)", "no function 'zozo'"),
    ("balori(8)", "takes 2 arguments"),
    ("balori(8, 3, 1)", "takes 2 arguments"),
    ("balori(k, 3)", "takes number number"),
    ("balori((8), 3)", "takes number number"),
    ("dukemi((5, 2, 7), 2)", "takes list number"),
    ("dukemi(4, (5, 2, 7))", "no place 4"),
    ("dukemi(0, (5, 2, 7))", "no place 0"),
    ("dukemi(1, ((5), 2))", "a list within a list"),
    ("fisavu(3, 6)", "counting goes up"),
    ("fisavu(900, 1)", "counting goes up"),
    ("balori(8, 10000)", "no value"),
    ("8 - 3", "mean nothing"),
    ("__import__('os')", "mean nothing"),
    ("Balori(8, 3)", "mean nothing"),
    ("balori(8, ３)", "mean nothing"),
    ("(" * (DEEPEST + 2) + ")" * (DEEPEST + 2), "deeper"),
    ("balori(8, 3)" + " " * LONGEST_TEXT, "longer"),
    (f"rupasi(({', '.join(['1'] * 40)}), 1)", "too much"),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values(text, value):
    assert run(text, FUNCTIONS).value == value


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_refusals(text, reason):
    with pytest.raises(CallError, match=reason):
        run(text, FUNCTIONS)


def test_what_was_used_is_told_in_order():
    assert run("dukemi(balori(5, 3), (5, 2, 7))", FUNCTIONS) == Outcome((5, 2), ("balori", "dukemi"))
    assert run("(5, 2)", FUNCTIONS).used == ()


@pytest.mark.parametrize(
    ("operation", "value"),
    [
        ("take", (5, 2)),
        ("drop", (9, 7)),
        ("last", (9, 7)),
        ("pick", 2),
        ("append", (5, 2, 9, 7, 2)),
        ("prepend", (2, 5, 2, 9, 7)),
        ("add", (7, 4, 11, 9)),
        ("remove", (5, 9, 7)),
        ("find", 2),
        ("turn", (9, 7, 5, 2)),
    ],
)
def test_operations_on_lists(operation, value):
    assert apply(operation, ((5, 2, 9, 7), 2)) == value


def test_every_operation_is_tried_here():
    assert len(OPERATIONS) == 12
    assert apply("subtract", (2, 5)) == -3
    assert apply("count", (2, 5)) == (2, 3, 4, 5)
    with pytest.raises(CallError, match="no operation 'divide'"):
        apply("divide", (2, 5))


@pytest.mark.parametrize(
    ("operation", "values"), [("find", ((5, 2), 3)), ("remove", ((5, 2), 3)), ("add", (("k",), 1))]
)
def test_what_an_operation_cannot_do(operation, values):
    with pytest.raises(CallError):
        apply(operation, values)


def test_results_are_bounded():
    with pytest.raises(CallError, match="too much"):
        apply("add", ((9_999,), 1))


def test_showing():
    assert [show(value) for value in (5, -5, "k", (5, "k"), (5,), ())] == ["5", "-5", "k", "(5, k)", "(5)", "()"]


def test_arguments_in_the_order_of_a_call():
    assert Function("take", (1, 0)).arranged(("list", "number")) == ("number", "list")
