"""What each operation makes of a list, how to take it back, and how well a chain can be guessed."""

import random

import pytest

from everlearn.streams.worlds.list_operations import PRIMITIVES, UNKNOWN, chained, dealt, guess, step


def test_the_primitives_by_hand():
    assert [" ".join(primitive.change(tuple("mzk"))) for primitive in PRIMITIVES] == [
        "k z m", "z m k", "m k z", "z k m", "k m z", "n a l", "l y j", "m z l", "m m z k", "m z k k", "m z k m",
        "k m z k",
    ]  # fmt: skip
    assert step(tuple("09"), 1) == tuple("10")


@pytest.mark.parametrize("x", ["bhnt", "389", "4501", "agmsx"])
def test_primitives_differ_and_undo(x):
    symbols = tuple(x)
    assert len({primitive.change(symbols) for primitive in PRIMITIVES}) == len(PRIMITIVES)
    undone = [primitive.undo(primitive.change(symbols)) for primitive in PRIMITIVES if primitive.undo]
    assert undone == [symbols] * 8


def test_a_guess_at_a_chain():
    swap = next(at for at, primitive in enumerate(PRIMITIVES) if primitive.phrase == "swaps the first two")
    known = guess((UNKNOWN, swap), 4)
    assert (swap, swap) not in known.chains
    assert (len(known.chains), known.values) == (11, 11)
    assert guess((swap, swap), 4).chains == ()
    assert all(chained(does, tuple("agms"))[-1] != tuple("agms") for does in guess((UNKNOWN, UNKNOWN), 4).chains)


def test_what_is_dealt_is_even_and_new():
    source = random.Random(1)
    assert sorted(dealt([UNKNOWN] * 24, source)) == sorted([*range(12)] * 2)
    assert len({*dealt([UNKNOWN] * 8, source)}) == 8
    for before in ([3], [5, 5, 5], [*range(12)]):
        for _ in range(50):
            assert all(old != new for old, new in zip(before, dealt(before, source), strict=True))
