import pytest

from everlearn.bench.profile import AXES, profile
from everlearn.desiderata.contract import Score


def of(**changed):
    values = {"rho": 1.0, "JNS": 0.5, "CS_cross": 0.5, "JNS at budget": 0.5, "OW": 0.5, "AU": 0.5} | changed
    return profile([Score("ACC", 0.1), *(Score(name, value, note=f"of {name}") for name, value in values.items())])


def test_six_figures_under_names_of_their_own():
    assert [(figure.name, figure.value) for figure in of(OW=0.25).figures] == [
        ("preservation", 1.0), ("sequence", 0.5), ("composition", 0.5), ("efficiency", 0.5), ("overwriting", 0.25),
        ("automaticity", 0.5),
    ]  # fmt: skip
    assert of().figures[0].note == "of rho"


def test_the_single_number_is_the_geometric_mean():
    assert of().single.value == pytest.approx(0.5 ** (5 / 6))
    assert of(JNS=0).single.value == 0


def test_figures_are_held_within_0_and_1():
    assert of(AU=1.5).single.value == of(AU=1.0).single.value
    assert of(JNS=-0.5).single.value == 0


def test_who_loses_general_ability_has_no_single_number():
    assert of(rho=0.95).single.value is not None
    assert (of(rho=0.94).single.value, of(rho=0.94).single.note) == (None, "rho is 0.94, below 0.95")


def test_an_undefined_figure_leaves_no_single_number():
    assert of(OW=None).single.note == "undefined: overwriting"
    nothing = profile([])
    assert len(nothing.figures) == len(AXES)
    assert nothing.figures[1].note == "JNS was not scored"
