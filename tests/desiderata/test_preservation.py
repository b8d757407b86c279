import pytest

from desiderata.hand_made import asked, case, moment, scored
from everlearn.desiderata.preservation import Preservation

PROBES = [asked(f"{skill}{n}", axis="general", kind=skill, chance=chance) for skill, chance in
          (("maths", 0.0), ("choice", 0.5)) for n in range(4)]  # fmt: skip
ALL = [probe.id for probe in PROBES]


def made(right, before=ALL, **more):
    base = moment(0, PROBES, before, text_nll=1.0)
    return case(PROBES, [moment(1, PROBES, right, **more)], 1, base=base)


def test_retention_change_and_worst_skill():
    found = scored(Preservation(), made("maths0 maths1 maths2 choice0 choice1 choice2", text_nll=1.25, kl_general=0.5))
    # s_0 = 1 + 1; s_T: maths .75, choice (.75 − .5) / .5 = .5
    assert found["rho"].value == pytest.approx(1.25 / 2)
    assert found["general"].value == pytest.approx(-0.25)
    assert found["worst skill"].value == pytest.approx(-0.25)
    assert found["general NLL"].value == pytest.approx(0.25)
    assert found["KL general"].value == 0.5
    assert found["KL new"].value is None
    assert found["KL new"].note == "not measured"


def test_the_worst_skill_is_named():
    found = scored(Preservation(), made("choice0 choice1 choice2 choice3 maths0"))
    assert (found["worst skill"].value, found["worst skill"].note) == (-0.75, "maths")
    assert found["general"].value == pytest.approx(-0.375)  # (−.75 + 0) / 2


def test_what_is_gained_elsewhere_is_not_more_than_all():
    assert scored(Preservation(), made(ALL, before=["maths0", *ALL[4:]]))["rho"].value == 1


def test_a_base_that_can_do_nothing_has_nothing_to_lose():
    found = scored(Preservation(), made("maths0", before=[]))["rho"]
    assert found.value is None
    assert "not above chance" in found.note


def test_without_general_questions():
    probes = [asked("a", 1)]
    found = scored(Preservation(), case(probes, [moment(1, probes, "a")], 1))
    assert {score.value for score in found.values()} == {None}
    assert found["rho"].note == "no general questions were asked of both"
