"""Ranks on two grids in; coefficients and p values that were worked out by hand out."""

import math

import pytest

from everlearn.bench.agreement import agreement, kendall, least_p, ranks, spearman


def by_name(*values):
    return dict(zip("abcdefghij", values, strict=False))


def test_tied_values_share_the_mean_of_their_places():
    assert ranks([0.3, 0.1, 0.3, 0.9]) == (2.5, 1, 2.5, 4)
    assert ranks([0.1 + 0.2, 0.3]) == (1.5, 1.5), "a difference of rounding is none"


def test_the_same_order_and_the_opposite_one():
    x = [0.1, 0.2, 0.5, 0.9]
    assert spearman(x, [1, 2, 3, 40]) == kendall(x, [1, 2, 3, 40]) == pytest.approx(1)
    assert spearman(x, [4, 3, 2, 1]) == kendall(x, [4, 3, 2, 1]) == pytest.approx(-1)


def test_without_ties():
    # ranks 1 2 3 4 5 against 2 1 4 3 5: Σd² = 4, ρ = 1 − 6·4/(5·24) = 0.8; two of ten pairs turned: τ = (8 − 2)/10
    x, y = [1, 2, 3, 4, 5], [20, 10, 40, 30, 50]
    assert spearman(x, y) == pytest.approx(0.8)
    assert kendall(x, y) == pytest.approx(0.6)


def test_with_ties():
    # ranks 1 2.5 2.5 4 against 1 2 3 4, about 2.5: Σxy = 2.25 + 0 + 0 + 2.25, Σx² = 4.5, Σy² = 5
    # of six pairs five agree, one is tied on one side: τ-b = 5/√(5·6)
    x, y = [1, 2, 2, 3], [1, 2, 3, 4]
    assert spearman(x, y) == pytest.approx(4.5 / math.sqrt(4.5 * 5))
    assert kendall(x, y) == pytest.approx(5 / math.sqrt(30))


def test_with_ties_on_both_sides():
    # x 1.5 1.5 3.5 3.5, y 1 3 3 3: about 2.5, Σxy = 1.5 − .5 + .5 + .5, Σx² = 4, Σy² = 2.25 + .75
    # pairs: 12 tied, 13 14 agree, 23 24 tied in y, 34 tied in both: C = 2, P − T_x = 4, P − T_y = 3
    x, y = [0, 0, 1, 1], [0, 7, 7, 7]
    assert spearman(x, y) == pytest.approx(2 / math.sqrt(4 * 3))
    assert kendall(x, y) == pytest.approx(2 / math.sqrt(4 * 3))


def test_p_is_the_share_of_orders_that_are_as_extreme():
    # three arms in one order: of six orders this and its opposite
    found = agreement("LA", by_name(1, 2, 3), by_name(5, 6, 7))
    assert (found.spearman_p, found.kendall_p) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    # 1 2 3 against 1 3 2: ρ = 0.5, τ = 1/3; of six orders Σd² is 0, 2, 2, 6, 6, 8: none has |ρ| below 0.5
    found = agreement("LA", by_name(1, 2, 3), by_name(1, 3, 2))
    assert (found.spearman, found.kendall) == (pytest.approx(0.5), pytest.approx(1 / 3))
    assert (found.spearman_p, found.kendall_p) == (1, 1)
    # four arms, one neighbouring pair turned: ρ = 0.8, as or more extreme are 1 + 3 orders and their opposites; τ = 2/3
    found = agreement("LA", by_name(1, 2, 3, 4), by_name(2, 1, 3, 4))
    assert (found.spearman, found.kendall) == (pytest.approx(0.8), pytest.approx(2 / 3))
    assert (found.spearman_p, found.kendall_p) == (pytest.approx(8 / 24), pytest.approx(8 / 24))


def test_p_with_ties_counts_every_order():
    # x 1 2 2 against y 1 2 3: Σxy is 1.5, 0 or −1.5, two orders each: four of six are as extreme
    found = agreement("LA", by_name(0, 1, 1), by_name(1, 2, 3))
    assert found.spearman_p == pytest.approx(4 / 6)
    # Kendall's C − D of the six orders: y of the first arm least 2, middle 0, greatest −2, two orders each
    assert found.kendall_p == pytest.approx(4 / 6)


def test_eight_arms_have_a_p_and_nine_have_none():
    eight = agreement("LA", by_name(*range(8)), by_name(*range(8)))
    assert eight.spearman_p == eight.kendall_p == pytest.approx(2 / 40_320) == pytest.approx(least_p(8))
    nine = agreement("LA", by_name(*range(9)), by_name(*range(9)))
    assert (nine.spearman, nine.spearman_p, nine.kendall_p) == (pytest.approx(1), None, None)


def test_only_arms_with_a_mean_on_both_count():
    found = agreement("OW", {"a": 1, "b": 2, "x": 9}, {"b": 5, "y": 0, "a": 7})
    assert (found.score, found.arms) == ("OW", ("a", "b"))
    assert (found.spearman, found.kendall, found.spearman_p) == (-1, -1, 1)


def test_what_has_no_order_has_no_coefficient():
    for one, other in (({}, {}), ({"a": 1}, {"a": 2}), (by_name(1, 1, 1), by_name(1, 2, 3))):
        found = agreement("LA", one, other)
        assert (found.spearman, found.kendall, found.spearman_p, found.kendall_p) == (None, None, None, None)


def test_few_arms_cannot_have_a_small_p():
    assert [least_p(arms) for arms in (0, 1, 2, 3, 4)] == [1, 1, 1, pytest.approx(1 / 3), pytest.approx(1 / 12)]
