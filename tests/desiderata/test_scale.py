import pytest

from desiderata.hand_made import atoms, case, moment, names, scored
from everlearn.desiderata.scale import Scale, slope_per_doubling


def test_slope_per_doubling():
    assert slope_per_doubling([(4, 0.9), (8, 0.8), (16, 0.7)]) == pytest.approx(-0.1)
    # log2: 0, 2; a straight line through two points
    assert slope_per_doubling([(1, 1.0), (4, 0.5)]) == pytest.approx(-0.25)
    assert slope_per_doubling([(4, 0.9), (4, 0.8)]) is None
    assert slope_per_doubling([]) is None


def test_stages_learnt_so_far():
    probes = atoms(2, 4)
    made = case(probes, [moment(1, probes, names(1, 4)), moment(2, probes, "1a 2a 2b 2c")], 2)
    found = scored(Scale(), made)
    # so far: 1, then (.25 + .75) / 2; one doubling. Stage 1 alone: 1, then .25
    assert found["per doubling"].value == pytest.approx(-0.5)
    assert found["per doubling, fixed"].value == pytest.approx(-0.75)


def test_one_stage_has_no_slope():
    probes = atoms(1, 4)
    assert scored(Scale(), case(probes, [moment(1, probes, "1a")], 1))["per doubling"].value is None
