"""Things of a lesson in; how many of them stand together, and that most pairs are left for probes."""

import random

import pytest

from everlearn.streams.worlds.bridging import groups, reserved, rows_of, within


@pytest.mark.parametrize(
    ("things", "sizes"),
    [(0, []), (1, []), (2, []), (3, [2]), (4, [3]), (5, [3, 2]), (6, [3, 3]), (8, [3, 3, 2]), (256, [3] * 8)],
)
def test_groups_by_hand(things, sizes):
    grouped = groups(range(things), random.Random(1))
    assert [len(group) for group in grouped] == sizes
    assert len({thing for group in grouped for thing in group}) == sum(sizes)
    assert 2 * len(within(grouped, 2)) <= max(0, things * (things - 1) / 2)


def test_pairs_and_threes_of_one_group_are_reserved():
    grouped = [("a", "b", "c"), ("d", "e")]
    assert within(grouped, 2) == [("a", "b"), ("a", "c"), ("b", "c"), ("d", "e")]
    assert reserved(grouped) == {frozenset(names) for names in ("ab", "ac", "bc", "de", "abc")}


def test_rows_by_hand():
    assert [rows_of(things) for things in (1, 4, 8, 256)] == [3, 12, 24, 24]
