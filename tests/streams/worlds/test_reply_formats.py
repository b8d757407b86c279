import itertools
import random
from collections import Counter

import pytest

from everlearn.grade import Reply, check
from everlearn.streams.worlds.reply_formats import BEHAVIOURS, PAIRS, dealt, obey, pattern


@pytest.mark.parametrize(
    ("names", "reply"),
    [
        ([], "m k t"),
        (["twice"], "m k t m k t"),
        (["again"], "m k t t"),
        (["comma"], "m, k, t"),
        (["number"], "1 m 2 k 3 t"),
        (["count"], "3 m k t"),
        (["parentheses"], "(m k t)"),
        (["count", "twice"], "6 m k t m k t"),
        (["stop", "well"], "well m k t stop"),
        (["question", "semicolon"], "m; k; t?"),
        (["number", "again"], "1 m 2 k 3 t 4 t"),
        (["colon", "parentheses"], ": (m k t)"),
    ],
)
def test_behaviours_reply_as_worked_out_by_hand(names, reply):
    assert obey(names, ["m", "k", "t"]) == reply


@pytest.mark.parametrize("letters", [["m", "k"], ["m", "k", "t"], ["m", "k", "t", "b"]])
def test_all_behaviours_and_all_pairs_of_them_reply_differently(letters):
    together = [pair for pair in itertools.combinations(BEHAVIOURS, 2) if pair[0].slot != pair[1].slot]
    replies = {obey([one.name for one in names], letters) for names in [*((one,) for one in BEHAVIOURS), *together]}
    assert len(together) == PAIRS
    assert len(replies | {" ".join(letters)}) == len(BEHAVIOURS) + PAIRS + 1


def test_a_pattern_forgives_white_space_around_punctuation_and_nothing_else():
    right = ["(m, k)", "( m , k )", "(m,k)"]
    wrong = ["m, k", "(m k)", "(m, k", "(m, k) stop", "(k, m)", "(M, k)"]
    assert all(check("regex", pattern("(m, k)"), Reply(text, True, 3)) for text in right)
    assert not any(check("regex", pattern("(m, k)"), Reply(text, True, 3)) for text in wrong)
    assert not check("regex", pattern("m k?"), Reply("m k", True, 3))
    assert not check("regex", pattern("m k"), Reply("mk", True, 3))


def test_behaviours_are_dealt_evenly_and_the_first_two_go_together():
    places = [Counter(), Counter(), Counter()]
    for seed in range(1200):
        deal = list(itertools.islice(dealt(random.Random(seed)), 24))
        assert deal[0].slot != deal[1].slot
        assert set(deal[:12]) == set(deal[12:]) == set(BEHAVIOURS)
        for place, behaviour in zip(places, deal, strict=False):
            place[behaviour] += 1
    assert all(60 < place[behaviour] < 145 for place in places for behaviour in BEHAVIOURS)
