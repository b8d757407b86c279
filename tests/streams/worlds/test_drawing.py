"""What a world changes later, and draws without and with repetition."""

import random
from collections import Counter

from everlearn.streams.worlds.drawing import others, repeated, shuffled, to_change, wrong_replies


def test_a_quarter_of_earlier_things_changes():
    taught = [0] * 8 + [1] * 8 + [2] * 8
    chosen = to_change(taught, [0, 1], 2, 8, random.Random(1))
    assert len(set(chosen)) == 2
    assert all(taught[at] < 2 and at > 1 for at in chosen)


def test_half_of_each_lesson_stays():
    taught = [0] * 4 + [1] * 4
    assert to_change(taught, [0, 1], 1, 4, random.Random(1)) == []
    assert to_change([0, 1], [], 1, 1, random.Random(1)) == []
    assert to_change([0, 0, 1, 1], [], 1, 2, random.Random(1)) in ([0], [1])


def test_repeating_is_even():
    assert sorted(Counter(repeated("abc", 7, random.Random(1))).values()) == [2, 2, 3]
    assert repeated("", 3, random.Random(1)) == []


def test_shuffling_keeps_everything():
    assert sorted(shuffled("abc", random.Random(2))) == ["a", "b", "c"]


def test_others_leaves_out():
    assert sorted(others("abcd", "bd", 3, random.Random(3))) == ["a", "c"]
    assert len(others("abcdefgh", "b", 3, random.Random(3))) == 3


def test_all_wrong_replies_are_kept():
    assert wrong_replies(["k m", "", "m k", "k m", "a"], "m k") == ("a", "k m")
    assert len(wrong_replies(map(str, range(200)), "7")) == 199
