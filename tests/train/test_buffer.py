"""What is kept within a budget: a random sample, or the first of each stage, evenly."""

from __future__ import annotations

from everlearn.records import Example, Message
from everlearn.train.buffer import bytes_of, evenly, shares_of, with_shares, within_budget


def examples(word: str, count: int) -> list[Example]:
    return [
        Example((Message("user", f"{word} {number}?"), Message("assistant", "x", learn=True)))
        for number in range(count)
    ]


ONE = bytes_of(examples("one", 1)[0])


def test_a_sample_is_within_its_budget_whatever_an_example_is_said_to_take():
    pool = examples("one", 9)
    assert len(within_budget(pool[:4], pool[4:], 5 * ONE, 0)) == 5
    assert len(within_budget(pool[:4], pool[4:], 5 * ONE, 0, size=lambda example: 2 * bytes_of(example))) == 2
    assert within_budget([], pool, 4, 0, size=lambda _: 1) == within_budget([], pool, 9 * ONE, 0)[:4]
    assert within_budget(pool, pool, 99 * ONE, 0) == within_budget([], pool, 99 * ONE, 0)


def test_stages_share_a_budget_evenly_and_use_what_others_leave():
    large, small, other = examples("one", 9), examples("two", 2), examples("six", 9)
    kept = evenly([large, small, other], 10 * ONE)
    assert kept == [large[:4], small, other[:4]]
    assert evenly([large, large[:3] + other], 8 * ONE) == [large[:4], other[:4]]
    assert evenly([], 100) == [] and evenly([large], 0) == [[]]


def test_what_does_not_fit_does_not_shut_out_what_does():
    long = Example((Message("user", "one" * 99), Message("assistant", "x", learn=True)))
    assert evenly([[long, *examples("one", 3)]], 2 * ONE) == [examples("one", 2)]


def test_shares_survive_in_a_memory_in_the_order_of_the_stages():
    shares = [examples(f"{number:03}", 1) for number in range(12)]
    memory = with_shares({"other": 1, "ewc.importance": {}, "0000.examples": shares[3]}, shares)
    assert shares_of(memory) == shares
    assert memory["other"] == 1 and "ewc.importance" in memory
    assert shares_of({"examples": shares[0], "0000.examples": []}) == [shares[0]]
    assert shares_of({"ewc.examples": shares[0]}) == [], "what is another method's"
