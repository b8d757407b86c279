from statistics import NormalDist

import pytest

from desiderata.hand_made import asked, case, moment, scored
from everlearn.desiderata.overwriting import Flips, Overwriting, adopted, disturbed, harmonic_mean, sensitivity, swayed

# stage 1 teaches, stage 2 changes
PROBES = [
    *(asked(f"new{n}", (1, 2), axis="adapt") for n in range(4)),
    *(asked(f"old{n}", (1, 2), axis="resist") for n in range(4)),
    asked("v1", (1, 2), axis="scope"),
    *(asked(f"near{n}", 1, axis="near") for n in range(4)),
    *(asked(f"far{n}", 1, axis="far") for n in range(2)),
    *(asked(f"elsewhere{n}", 1, axis="near", family="rules") for n in range(2)),
    asked("back", (1, 2, 3), axis="adapt", kind="revert"),
]
TAUGHT = "old0 old1 old2 near0 near1 near2 near3 far0 far1 elsewhere0"
AFTER = "new0 new1 new2 old0 old1 v1 near0 near1 near2 far0"


def made(after=AFTER, taught=TAUGHT, third="back"):
    return case(PROBES, [moment(1, PROBES, taught), moment(2, PROBES, after), moment(3, PROBES, third)], 3)


def test_every_part():
    found = scored(Overwriting(), made())
    assert found["Adapt"].value == 0.75
    assert found["Resist"].value == pytest.approx(2 / 3)  # old3 was never known
    assert found["Scope"].value == 1
    assert found["revert"].value == 1


def test_locality_around_each_change():
    quiet = made(third=f"{AFTER} back")
    assert disturbed(quiet, ("near",)) == Flips(1, 7)  # 4 before stage 2, 3 before stage 3; near3 is lost
    assert disturbed(quiet, ("far",)) == Flips(1, 3)
    loud = made(third="back")
    assert disturbed(loud, ("near",)) == Flips(4, 7)
    found = scored(Overwriting(), quiet)
    assert found["Locality near"].value == pytest.approx(6 / 7)
    assert found["Locality"].value == pytest.approx((6 / 7 + 2 / 3) / 2)


def test_another_familys_probes_are_no_neighbours():
    assert disturbed(made(after=f"{AFTER} elsewhere1", third=f"{AFTER} back"), ("near",)).of == 7


def test_what_is_not_taught_yet_cannot_be_disturbed():
    probes = [asked("new", (1, 2), axis="adapt"), asked("lucky", 3, axis="near")]
    guessed = case(probes, [moment(1, probes, "lucky"), moment(2, probes, "new"), moment(3, probes, "lucky")], 3)
    assert disturbed(guessed, ("near",)).of == 0


def test_what_was_right_before_cannot_be_adopted():
    assert adopted(made(taught=f"{TAUGHT} new0")) == Flips(2, 3)


def test_ow_is_the_harmonic_mean():
    found = scored(Overwriting(), made(third=f"{AFTER} back"))
    parts = [0.75, 2 / 3, (6 / 7 + 2 / 3) / 2]
    assert found["OW"].value == pytest.approx(3 / sum(1 / part for part in parts))


def test_a_stubborn_and_a_gullible_model_both_fail():
    stubborn = made(after=TAUGHT, third=TAUGHT)
    gullible = made(after="new0 new1 new2 new3 near0 near1 near2 near3 far0 far1", third="")
    assert scored(Overwriting(), stubborn)["Resist"].value == 1
    assert scored(Overwriting(), gullible)["Adapt"].value == 1
    assert scored(Overwriting(), stubborn)["OW"].value == scored(Overwriting(), gullible)["OW"].value == 0


def test_harmonic_mean():
    assert harmonic_mean((1.0, 0.5)) == pytest.approx(2 / 3)
    assert harmonic_mean((0.0, None)) == 0
    assert harmonic_mean((-0.2, 1.0)) == 0
    assert harmonic_mean((1.0, None)) is None
    assert harmonic_mean(()) is None


def test_trust_is_a_distance_between_two_rates():
    assert (adopted(made()), swayed(made())) == (Flips(3, 4), Flips(1, 3))
    # (3 + .5) / 5 = .7; (1 + .5) / 4 = .375
    z = NormalDist().inv_cdf
    assert scored(Overwriting(), made())["trust d′"].value == pytest.approx(z(0.7) - z(0.375))
    # a classical table: 20 of 25 and 10 of 25: 20.5/26 = .78846, 10.5/26 = .40385; z = .8012, −.2434
    assert sensitivity(Flips(20, 25), Flips(10, 25)) == pytest.approx(1.0446, abs=1e-3)
    assert sensitivity(Flips(25, 25), Flips(0, 25)) == pytest.approx(2 * z(25.5 / 26))
    assert sensitivity(Flips(5, 10), Flips(5, 10)) == 0
    assert sensitivity(Flips(0, 0), Flips(1, 2)) is None


def test_nothing_known_before_is_nothing_resisted():
    found = scored(Overwriting(), made(taught=""))
    assert found["Resist"].value is None
    assert found["Resist"].note == "nothing of this was right before the change"
