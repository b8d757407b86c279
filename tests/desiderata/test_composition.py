from dataclasses import replace

import pytest

from desiderata.hand_made import asked, case, moment, reference, scored
from everlearn.desiderata.composition import Composition, composing
from everlearn.desiderata.contract import Sort


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
    assert found["CS_cross"].value == pytest.approx((1 / 2 + 1) / 2)  # latent and explicit weigh the same
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
    assert found["CS, latent"].note == "without facts: joint training does not compose there"
    assert found["CC over joint, latent"].value is None
    assert scored(Composition(), made("X1", joint=None))["CS_cross"].note == "no joint reference"


# facts: four latent ones over stages, of which joint has all; rules: two, joint has one; language: six, joint has one
FAMILIES = [
    *(comp(f"f{n}", (1, 3), ("A", "B")) for n in range(4)),
    *(comp(f"r{n}", (1, 3), ("A", "B"), family="rules") for n in range(2)),
    *(comp(f"l{n}", (1, 3), ("A", "B"), family="language") for n in range(6)),
]


def of_families(right, joint="f0 f1 f2 f3 r0 l0", probes=FAMILIES):
    top = reference("joint", moment(3, probes, joint))
    return scored(Composition(), case(probes, [moment(3, probes, right)], 3, joint=top))


def test_families_weigh_the_same_however_many_probes_they_have():
    # facts 1/4 of 1, rules 1/2 of 1/2; language: joint 1/6 is below 0.2. All at once it would be (2/6) / (5/6)
    found = of_families("f0 r0 l0 l1 l2")
    assert found["CS cross, latent"].value == pytest.approx((0.25 + 0.5) / (1 + 0.5))
    note = "without language: joint training does not compose there"
    assert found["CS cross, latent"].note == note
    assert (found["CS_cross"].value, found["CS_cross"].note) == (pytest.approx(0.5), f"latent ones only; {note}")


def test_what_the_base_can_do_is_no_gain():
    top = reference("joint", moment(3, FAMILIES, "f0 f1 f2 f3 r0 l0"))
    made = case(FAMILIES, [moment(3, FAMILIES, "f0 f1 r0")], 3, joint=top, base="f0 r0")
    # facts: 2/4 − 1/4 of 1 − 1/4; rules: the base is as good as joint training, which is no gain: left out
    found = scored(Composition(), made)["CS cross, latent"]
    assert found.value == pytest.approx(0.25 / 0.75)
    assert found.note == "without language, rules: joint training does not compose there"


def test_what_joint_training_does_is_told_by_all_streams_together():
    def stream(seed, joint):
        made = case(FAMILIES, [moment(3, FAMILIES, "f0")], 3, joint=reference("joint", moment(3, FAMILIES, joint)))
        return replace(made, trial=replace(made.trial, stream=seed))

    # rules: 2/2 and 0/2; language: 2/6 on one stream by luck, 0/6 on the other
    cases = [stream(1, "f0 f1 r0 r1 l0 l1"), stream(2, "f0 f1")]
    facts, rules = (Sort(name, explicit=False, across=True) for name in ("facts", "rules"))
    assert composing(cases) == composing([*cases, *cases]) == {facts, rules}
    assert composing(cases, least=5) == {facts}
    alone = replace(cases[0], composing=frozenset({facts}))
    found = scored(Composition(), alone)["CS cross, latent"]
    assert found.value == pytest.approx((1 / 4) / (2 / 4))
    assert found.note == "without language, rules: joint training does not compose there"


def test_a_stream_on_which_joint_training_gains_little_says_nothing():
    found = of_families("f0", joint="r0", probes=FAMILIES)
    assert found["CS cross, latent"].value == pytest.approx(0)
    sorts = frozenset({Sort("facts", explicit=False, across=True)})
    made = case(FAMILIES, [moment(3, FAMILIES, "f0")], 3, joint=reference("joint", moment(3, FAMILIES, "r0")))
    silent = scored(Composition(), replace(made, composing=sorts))["CS cross, latent"]
    assert silent.value is None
    assert silent.note == "on this stream joint training gains less than 0.2"


def test_what_one_part_answers_is_no_composition():
    probes = [*FAMILIES, *(comp(f"c{n}", (1, 3), (), family="classes") for n in range(3))]
    found = of_families("f0 r0 c0 c1 c2", joint="f0 f1 f2 f3 r0 c0", probes=probes)
    assert found["CS cross, latent"].value == pytest.approx(0.5)
    assert found["CC, latent"].value is None, "all of no atoms would always be known"


def test_the_penalty_compares_families_with_themselves():
    # facts: within (1/2) / 1, cross 1/4; rules have no within, and cross 1: not a gain of families
    probes = [*FAMILIES, comp("w0", (1,), ("A", "B")), comp("w1", (1,), ("A", "B"))]
    found = of_families("f0 r0 w0", joint="f0 f1 f2 f3 r0 w0 w1", probes=probes)
    assert found["cross-stage penalty, latent"].value == pytest.approx(0.25)
