"""Shares right by kind: which questions, over which streams, in which order."""

import pytest

from everlearn.bench.report.content import Board
from everlearn.bench.report.kinds import by_axis, by_family
from everlearn.bench.report.scoring import score
from everlearn.desiderata.contract import Asked, Case, Moment, Reply, Trial


def case_of(stream, marks, method="a"):
    """Marks by family, kind and axis."""
    probes, replies = [], []
    for (family, kind, axis), line in marks.items():
        for number, mark in enumerate(line):
            probe = Asked(f"{stream}{family}{kind}{number}", family, kind, axis, (1,), "k", 0.25)
            probes.append(probe)
            replies.append(Reply(probe.id, mark == "1", 1.0))
    return Case(Trial(method, stream, (Moment(1, replies=tuple(replies)),)), tuple(probes), 1, 10, Moment(0))


def bars(kind):
    return {bar.method: bar.spread.value if bar.spread else None for bar in kind.bars}


def test_a_share_is_the_mean_over_streams_not_over_questions():
    first = case_of(1, {("facts", "direct", "atom"): "1111"})
    second = case_of(2, {("facts", "direct", "atom"): "00"})
    (kind,) = by_axis(score(Board((first, second)), {}))
    assert bars(kind) == {"a": 0.5, "base": None}
    assert (kind.probes, kind.chance) == (6, 0.25)


def test_axes_join_families_and_families_keep_kinds_apart():
    marks = {
        ("rules", "x", "boundary"): "10",
        ("facts", "far", "composition"): "1",
        ("facts", "near", "composition"): "0",
        ("general", "spelling", "general"): "1",
        ("facts", "direct", "atom"): "1",
    }
    rows = score(Board((case_of(1, marks),)), {})
    assert [(kind.axis, bars(kind)["a"]) for kind in by_axis(rows)] == [
        ("atom", 1.0),
        ("composition", 0.5),
        ("boundary", 0.5),
        ("general", 1.0),
    ]
    found = by_family(rows)
    assert list(found) == ["facts", "rules", "general"]
    assert [kind.name for kind in found["facts"]] == ["direct", "far", "near"]


def test_general_questions_on_a_family_are_not_counted_with_it():
    marks = {("facts", "direct", "atom"): "1", ("facts", "facts", "general"): "10"}
    found = by_family(score(Board((case_of(1, marks),)), {}))
    assert [(name, [kind.name for kind in some]) for name, some in found.items()] == [
        ("facts", ["direct"]),
        ("general", ["facts"]),
    ]


def test_the_interval_of_a_share_lies_within_0_and_1():
    marks = [case_of(stream, {("facts", "direct", "atom"): line}) for stream, line in ((1, "11"), (2, "10"))]
    spread = by_axis(score(Board(tuple(marks)), {}))[0].bars[0].spread
    assert (spread.low, spread.value, spread.high) == (0.0, 0.75, 1.0)


def test_what_nobody_answered_is_not_there():
    case = case_of(1, {("facts", "direct", "atom"): "1"})
    silent = Asked("s", "facts", "silent", "atom", (1,), "k", 0.0)
    rows = score(Board((Case(case.trial, (*case.probes, silent), 1, 10, Moment(0)),)), {})
    assert [kind.name for kind in by_family(rows)["facts"]] == ["direct"]


def test_each_method_has_its_bar():
    marks = {("facts", "direct", "atom"): "10"}
    rows = score(Board((case_of(1, marks), case_of(1, {("facts", "direct", "atom"): "11"}, "b"))), {})
    assert bars(by_axis(rows)[0]) == {"a": pytest.approx(0.5), "b": 1.0, "base": None}
