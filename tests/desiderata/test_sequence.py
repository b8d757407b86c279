import pytest

from desiderata.hand_made import asked, atoms, case, moment, reference, scored
from everlearn.desiderata.sequence import SequenceOfStages, accuracy_matrix, joint_normalised

# Three stages, four atom probes each, chance 0. Right answers by stage:
#         stage 1   stage 2   stage 3
# base    0         1         0          R[0] = 0    .25  0
# 1       4         1         1          R[1] = 1    .25  .25
# 1½                                     stage 1: 1 of 4 at half of stage 2
# 2       3         4         1          R[2] = .75  1    .25
# 3       2         3         3          R[3] = .5   .75  .75
PROBES = atoms(3, 4)
FIRST, SECOND, THIRD = "1a 1b 1c 1d", "2a 2b 2c 2d", "3a 3b 3c 3d"


def worked(**more):
    moments = [
        moment(1, PROBES, f"{FIRST} 2a 3a"),
        moment(2, PROBES[:8], "1a 2a", share=0.5),
        moment(2, PROBES, f"1a 1b 1c {SECOND} 3a"),
        moment(3, PROBES, "1a 1b 2a 2b 2c 3a 3b 3c"),
    ]
    return case(PROBES, moments, 3, base="2a", **more)


def test_the_matrix_holds_every_stage_after_every_stage():
    matrix = accuracy_matrix(worked())
    assert matrix.cells == ((0, 0.25, 0), (1, 0.25, 0.25), (0.75, 1, 0.25), (0.5, 0.75, 0.75))
    assert matrix.steps == matrix.stages == 3


def test_the_classical_figures():
    found = scored(SequenceOfStages(), worked())
    assert found["ACC"].value == pytest.approx(2 / 3)  # (.5 + .75 + .75) / 3
    assert found["LA"].value == pytest.approx(2.75 / 3)  # (1 + 1 + .75) / 3
    assert found["BWT"].value == pytest.approx(-0.375)  # ((.5 − 1) + (.75 − 1)) / 2
    assert found["FWT"].value == pytest.approx(0.125)  # ((.25 − .25) + (.25 − 0)) / 2
    assert found["forgetting"].value == pytest.approx(0.375)  # ((1 − .5) + (1 − .75)) / 2


def test_the_stability_gap_sees_the_dip_within_a_stage():
    found = scored(SequenceOfStages(), worked())
    # stage 1: least of .25 (within stage 2), .75, .5; stage 2: .75
    assert found["min-ACC"].value == pytest.approx(0.5)  # (.25 + .75) / 2
    assert found["WC-ACC"].value == pytest.approx(0.75 / 3 + 2 / 3 * 0.5)
    assert found["min-ACC"].note == ""


def test_forgetting_differs_from_minus_bwt_where_a_later_stage_helped():
    probes = atoms(3, 4)
    moments = [moment(1, probes, "1a 1b"), moment(2, probes, f"{FIRST} 2a"), moment(3, probes, "1a 2a")]
    found = scored(SequenceOfStages(), case(probes, moments, 3))
    # stage 1: .5, then 1, then .25; stage 2: .25, then .25
    assert found["forgetting"].value == pytest.approx(0.375)  # ((1 − .25) + 0) / 2
    assert found["BWT"].value == pytest.approx(-0.125)  # ((.25 − .5) + 0) / 2


def test_chance_is_taken_out():
    probes = [asked(name, 1, chance=0.25) for name in "abcd"]
    made = case(probes, [moment(1, probes, "a b c")], 1)
    # (3 · 1 + 1 · (−1/3)) / 4 = 2/3 = (.75 − .25) / .75
    assert scored(SequenceOfStages(), made)["ACC"].value == pytest.approx(2 / 3)


def test_things_that_a_later_stage_changes_are_no_atoms():
    probes = [
        asked("1a", 1),
        asked("old", 1, key="moved"),
        asked("new", (1, 2), axis="adapt", key="moved"),
        asked("2a", 2),
    ]
    made = case(probes, [moment(1, probes, "1a old"), moment(2, probes, "1a new 2a")], 2)
    assert scored(SequenceOfStages(), made)["BWT"].value == 0


def joint(right):
    return reference("joint", moment(3, PROBES, right))


def test_jns_is_the_share_of_joint_trainings_gain():
    # ACC_0 = 1/12, ACC = 8/12, J = 11/12: 7 of 10
    found = joint_normalised(worked(joint=joint(f"{FIRST} {SECOND} 3a 3b 3c")), worked().trial.last, "JNS")
    assert found.value == pytest.approx(0.7)


def test_jns_is_undefined_where_joint_training_gains_too_little():
    # J − ACC_0 = 3/12 − 1/12 = 1/6
    found = scored(SequenceOfStages(), worked(joint=joint("1a 1b 2a")))["JNS"]
    assert found.value is None
    assert "gains less than 0.2" in found.note


def test_jns_drops_the_family_that_joint_training_does_not_learn():
    families = {1: "facts", 2: "rules", 3: "facts"}
    made = worked(joint=joint(f"{FIRST} 2a 3a 3b 3c"), families=families)
    found = scored(SequenceOfStages(), made)["JNS"]
    assert found.value == pytest.approx(5 / 7)  # facts: (.5 + .75) / (1 + .75)
    assert found.note == "without rules: joint training gains less than 0.2"


def test_gap_to_solo():
    alone = [moment(1, PROBES, FIRST), moment(2, PROBES, SECOND), moment(3, PROBES, THIRD)]
    found = scored(SequenceOfStages(), worked(solo=reference("solo", *alone)))
    assert found["gap to solo"].value == pytest.approx(0.25 / 3)  # (0 + 0 + (1 − .75)) / 3


def test_joint_training_itself_has_an_end_only():
    made = case(PROBES, [moment(0, PROBES, ""), moment(3, PROBES, f"{FIRST} {SECOND}")], 3)
    found = scored(SequenceOfStages(), made)
    assert found["ACC"].value == pytest.approx(2 / 3)
    assert {found[name].value for name in ("LA", "BWT", "FWT", "forgetting", "min-ACC", "WC-ACC")} == {None}
    assert found["BWT"].note == "nothing was asked after each stage"


def test_an_unfinished_stream_says_so():
    made = case(PROBES, [moment(1, PROBES, FIRST), moment(2, PROBES, f"1a {SECOND}")], 3)
    found = scored(SequenceOfStages(), made)
    assert found["ACC"].note == "ended after stage 2 of 3"
    assert found["BWT"].value == pytest.approx(-0.75)
