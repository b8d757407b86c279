import pytest

from desiderata.hand_made import atoms, case, moment, names, reference, scored
from everlearn.desiderata.plasticity import Plasticity

PROBES = atoms(3, 4)


def made(probes=PROBES, learnt=(4, 2, 2), **more):
    """After each stage so many of its own probes are right."""
    moments = [moment(stage, probes, names(stage, right)) for stage, right in enumerate(learnt, start=1)]
    return case(probes, moments, len(learnt), **more)


def alone(*rights, probes=PROBES):
    return reference("solo", *(moment(stage, probes, names(stage, right)) for stage, right in enumerate(rights, 1)))


def test_learning_over_stages_is_relative_to_solo():
    found = scored(Plasticity(), made(solo=alone(4, 2, 4)))["learning by stage"]
    # R[i, i] / Q_i: 1/1, .5/.5, .5/1 at 1 2 3: slope = (−1 · 1 + 1 · .5) / 2
    assert found.value == pytest.approx(-0.25)


def test_stages_that_cannot_be_learnt_alone_are_left_out():
    found = scored(Plasticity(), made(solo=alone(4, 0, 0)))
    assert found["learning by stage"].value is None
    assert found["plasticity loss"].value is None
    assert "0.2" in found["plasticity loss"].note


def test_the_last_quarter_is_late():
    assert scored(Plasticity(), made(solo=alone(4, 2, 4)))["plasticity loss"].value == pytest.approx(1 - 0.5 / 1)
    eight = atoms(8, 4)
    long = made(eight, (0, 0, 0, 0, 0, 0, 3, 4), solo=alone(*[4] * 6, 4, 2, probes=eight))
    # what is learnt of stages 7 and 8, .75 and 1, against 1 and .5 by the base alone
    assert scored(Plasticity(), long)["plasticity loss"].value == pytest.approx(1 - 1.75 / 1.5)


def test_a_late_stage_that_the_base_cannot_learn_either_tells_nothing():
    eight = atoms(8, 4)
    long = made(eight, (0, 0, 0, 0, 0, 0, 3, 4), solo=alone(*[4] * 6, 4, 0, probes=eight))
    assert scored(Plasticity(), long)["plasticity loss"].value == pytest.approx(1 - 0.75 / 1)


def test_without_the_solo_reference():
    assert scored(Plasticity(), made())["plasticity loss"].note == "no solo reference"
