import pytest

from desiderata.hand_made import atoms, case, moment, names, reference, scored
from everlearn.desiderata.plasticity import Plasticity

PROBES = atoms(3, 4)


def made(**more):
    moments = [
        moment(1, PROBES, names(1, 3), share=0.5),  # curve of stage 1: 0, .75, 1
        moment(1, PROBES, names(1, 4)),
        moment(2, PROBES, names(2, 2)),
        moment(3, PROBES, "3a", share=0.5),  # curve of stage 3: 0, .25, .5
        moment(3, PROBES, names(3, 2)),
    ]
    return case(PROBES, moments, 3, **more)


def test_learning_over_stages_is_relative_to_solo():
    alone = reference(
        "solo", *(moment(stage, PROBES, names(stage, right)) for stage, right in ((1, 4), (2, 2), (3, 4)))
    )
    found = scored(Plasticity(), made(solo=alone))["learning by stage"]
    # R[i, i] / Q_i: 1/1, .5/.5, .5/1 at 1 2 3: slope = (−1 · 1 + 1 · .5) / 2
    assert found.value == pytest.approx(-0.25)


def test_stages_that_cannot_be_learnt_alone_are_left_out():
    alone = reference("solo", moment(1, PROBES, names(1, 4)), moment(2, PROBES, ""), moment(3, PROBES, ""))
    found = scored(Plasticity(), made(solo=alone))["learning by stage"]
    assert found.value is None
    assert "0.2" in found.note


def test_late_curves_against_early_ones():
    # early: .5 · .375 + .5 · .875 = .625; late: .5 · .125 + .5 · .375 = .25
    assert scored(Plasticity(), made())["plasticity loss"].value == pytest.approx(1 - 0.25 / 0.625)


def test_the_middle_one_of_three_curves_is_neither_early_nor_late():
    moments = [found for found in made().trial.moments if found.stage != 2]
    middle = [moment(2, PROBES, "", share=0.5), moment(2, PROBES, names(2, 2))]
    found = scored(Plasticity(), case(PROBES, [*moments[:2], *middle, *moments[2:]], 3))["plasticity loss"]
    assert found.value == pytest.approx(1 - 0.25 / 0.625)


def test_without_points_within_stages():
    found = scored(Plasticity(), case(PROBES, [moment(1, PROBES, "1a")], 3))["plasticity loss"]
    assert found.note == "needs two stages asked at points within"
