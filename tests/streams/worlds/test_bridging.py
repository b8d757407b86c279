"""Things of a lesson in; how many of them stand together, and that most pairs are left for probes."""

import itertools
import random

import pytest

from everlearn.streams.worlds.bridging import groups, reserved, rows_of, within


@pytest.mark.parametrize(
    ("things", "sizes"),
    [
        (0, []),
        (1, []),
        (2, [2]),
        (3, [2]),
        (4, [3]),
        (5, [3]),
        (6, [3]),
        (7, [3]),
        (8, [3, 3]),
        (11, [3, 3, 3]),
        (256, [3] * 8),
    ],
)
def test_groups_by_hand(things, sizes):
    grouped = groups(range(things), random.Random(1))
    assert [len(group) for group in grouped] == sizes
    assert len({thing for group in grouped for thing in group}) == sum(sizes)
    assert things == 2 or 2 * len(within(grouped, 2)) <= max(0, things * (things - 1) / 2)


@pytest.mark.parametrize(("things", "threes"), [(3, 0), (4, 0), (5, 3), (6, 10), (8, 24)])
def test_threes_without_a_reserved_pair_are_left(things, threes):
    names = "abcdefgh"[:things]
    together = reserved(groups(names, random.Random(1)))
    pairs_of = [
        [frozenset(pair) for pair in itertools.combinations(three, 2)] for three in itertools.combinations(names, 3)
    ]
    assert sum(together.isdisjoint(pairs) for pairs in pairs_of) == threes


def test_pairs_of_one_group_are_reserved():
    grouped = [("a", "b", "c"), ("d", "e")]
    assert within(grouped, 2) == [("a", "b"), ("a", "c"), ("b", "c"), ("d", "e")]
    assert reserved(grouped) == {frozenset(names) for names in ("ab", "ac", "bc", "de")}


def test_rows_by_hand():
    assert [rows_of(things) for things in (1, 4, 8, 256)] == [3, 12, 24, 24]
