import pytest

from desiderata.hand_made import atoms, case, moment, names, scored
from everlearn.desiderata.shift import Shift, spread_over_orders, steps

PROBES = atoms(4, 4)


def made(next_nll=(None, 2.0, 3.0, 4.0), last="1a 2a 3a 4a"):
    # R[t, i] of stage 1, 2, 3:  t=1: 1; t=2: 1, 1; t=3: .5, 1, 1; t=4: .25, .25, .25
    after = [
        names(1, 4),
        names(1, 4) + names(2, 4),
        names(1, 2) + names(2, 4) + names(3, 4),
        last.split(),
    ]
    measured = [*next_nll[1:], None]
    moments = [
        moment(number, PROBES, right, next_nll=nll, text_nll=1.0)
        for number, (right, nll) in enumerate(zip(after, measured, strict=True), start=1)
    ]
    return case(PROBES, moments, 4)


def test_steps_have_a_size_and_a_transfer_of_their_own():
    found = steps(made())
    assert [step.size for step in found] == [1.0, 2.0, 3.0]
    # t=2: 0; t=3: ((.5 − 1) + 0) / 2; t=4: ((.25 − .5) + (.25 − 1) + (.25 − 1)) / 3
    assert [step.transfer for step in found] == pytest.approx([0, -0.25, -1.75 / 3])


def test_slope_and_near_and_far():
    found = scored(Shift(), made())
    # sizes 1 2 3 about 2: slope = (−1 · 0 + 1 · (−1.75/3)) / 2
    assert found["BWT by shift"].value == pytest.approx(-1.75 / 6)
    assert found["BWT near"].value == pytest.approx(-0.125)  # sizes 1 and 2
    assert found["BWT far"].value == pytest.approx(-1.75 / 3)
    assert found["shift"].value == pytest.approx(2)


def test_two_steps_are_no_line():
    found = scored(Shift(), made(next_nll=(None, None, 3.0, 4.0)))
    assert found["BWT by shift"].value is None
    assert "needs 3 steps" in found["BWT by shift"].note


def test_equal_shifts_are_no_line_and_have_no_far():
    found = scored(Shift(), made(next_nll=(None, 2.0, 2.0, 2.0)))
    assert found["BWT by shift"].value is None
    assert found["BWT far"].value is None
    assert found["BWT near"].value is not None


def test_spread_over_orders():
    # ACC = 4/16 and 8/16: SD = .25 / √2
    both = [made(), made(last="1a 1b 2a 2b 3a 3b 4a 4b")]
    assert spread_over_orders(both) == pytest.approx(0.25 / 2**0.5)
    assert spread_over_orders(both[:1]) is None
