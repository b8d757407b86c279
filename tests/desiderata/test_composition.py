import pytest

from desiderata.hand_made import asked, case, moment, reference, scored
from everlearn.desiderata.composition import Composition


def comp(name, stages, atoms, **more):
    return asked(name, stages, axis="composition", kind="two_hop", atoms=atoms, **more)


# atom A is asked in two wordings; W is made within stage 1, X1 to X3 across stages 1 and 3, E is explicit
PROBES = [
    asked("A1", 1, key="A"),
    asked("A2", 1, key="A"),
    asked("B", 1),
    asked("C", 3),
    comp("W", (1,), ("A", "B")),
    comp("X1", (1, 3), ("A", "C")),
    comp("X2", (1, 3), ("B", "C")),
    comp("X3", (1, 3), ("B", "C")),
    comp("E", (1, 3), ("A", "C"), explicit=True),
]
JOINT = reference("joint", moment(3, PROBES, "A1 A2 B C W X1 X2 E"))


def made(right, joint=JOINT):
    return case(PROBES, [moment(3, PROBES, right)], 3, joint=joint)


def test_scores_are_relative_to_joint_training():
    found = scored(Composition(), made("A1 B C W X1 E"))
    assert found["CS, latent"].value == pytest.approx((2 / 4) / (3 / 4))
    assert found["CS within, latent"].value == 1
    assert found["CS cross, latent"].value == pytest.approx((1 / 3) / (2 / 3))
    assert found["cross-stage penalty, latent"].value == pytest.approx(0.5)
    assert found["CS_cross"].value == pytest.approx((2 / 4) / (3 / 4))  # latent and explicit: X1 and E of four
    assert found["CS, explicit"].value == 1


def test_atoms_must_be_right():
    # A is known by one of its two wordings; C is not known: W alone counts, and is wrong
    found = scored(Composition(), made("A1 B X1"))
    assert found["CC, latent"].value == 0
    assert found["CC, latent"].note == "1 of 4 compositions"
    assert found["composition gap, latent"].value == 1
    # all atoms: X1 of W X1 X2 X3 = 1/4; joint 3/4
    found = scored(Composition(), made("A1 B C X1"))
    assert found["CC, latent"].value == pytest.approx(0.25)
    assert found["CC over joint, latent"].value == pytest.approx(1 / 3)
    # A unknown: X2 and X3 remain
    assert scored(Composition(), made("B C X2"))["CC, latent"].value == 0.5


def test_no_atoms_no_condition():
    found = scored(Composition(), made("X1"))
    assert found["CC, latent"].value is None
    assert found["CC, latent"].note == "no composition has all its atoms right"


def test_a_ratio_to_nothing_is_undefined():
    found = scored(Composition(), made("A1 X1", joint=reference("joint", moment(3, PROBES, "A1 B C"))))
    assert found["CS, latent"].value is None
    assert found["CS, latent"].note == "joint training itself composes only 0.00 above chance"
    assert found["CC over joint, latent"].value is None
    assert scored(Composition(), made("X1", joint=None))["CS_cross"].note == "no joint reference"
