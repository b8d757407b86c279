from dataclasses import replace
from statistics import NormalDist

import pytest

from desiderata.hand_made import asked, case, moment, scored
from everlearn.desiderata.contract import harmonic_mean
from everlearn.desiderata.overwriting import Flips, Overwriting, disturbed, moved, sensitivity

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
TAUGHT = "old0 old1 old2 near0 near1 near2 near3 far0 far1 elsewhere0 back"
AFTER = "new0 new1 new2 old0 old1 v1 near0 near1 near2 far0"


def made(after=AFTER, taught=TAUGHT, third="back"):
    """Three stages; the third changes a thing back."""
    return case(PROBES, [moment(1, PROBES, taught), moment(2, PROBES, after), moment(3, PROBES, third)], 3)


def of(made, *wanted):
    found = scored(Overwriting(), made)
    return [found[name].value for name in wanted]


def test_every_part():
    found = scored(Overwriting(), made())
    assert found["Adapt"].value == 0.75
    assert found["Resist"].value == 0.5  # old3 was never known: that counts
    assert found["Resist if known"].value == pytest.approx(2 / 3)  # and here it does not
    assert found["Scope"].value == 1
    assert found["revert"].value == 1


def test_locality_around_each_change():
    quiet = made(third=f"{AFTER} back")
    assert disturbed(quiet, ("near",)) == Flips(1, 7)  # 4 before stage 2, 3 before stage 3; near3 is lost
    assert disturbed(quiet, ("far",)) == Flips(1, 3)
    loud = made(third="back")
    assert disturbed(loud, ("near",)) == Flips(4, 7)
    assert of(quiet, "Locality near if known", "Locality far if known") == pytest.approx([6 / 7, 2 / 3])
    # right of all asked: near 3 of 4 after stages 2 and 3; far 1 of 2 after both
    assert of(quiet, "Locality near", "Locality far", "Locality") == pytest.approx([6 / 8, 2 / 4, (6 / 8 + 2 / 4) / 2])
    assert of(loud, "Locality near") == pytest.approx([3 / 8])


def test_another_familys_probes_are_no_neighbours():
    assert disturbed(made(after=f"{AFTER} elsewhere1", third=f"{AFTER} back"), ("near",)).of == 7


def test_what_is_not_taught_yet_cannot_be_disturbed():
    probes = [asked("new", (1, 2), axis="adapt"), asked("lucky", 3, axis="near")]
    guessed = case(probes, [moment(1, probes, "lucky"), moment(2, probes, "new"), moment(3, probes, "lucky")], 3)
    assert disturbed(guessed, ("near",)).of == 0
    assert scored(Overwriting(), guessed)["Locality"].value is None


def test_a_guess_before_a_thing_was_taught_is_not_kept_by_the_stage_that_teaches_it():
    # stages 2 and 3 change things; `lucky` is taught by stage 2, so that stage 3 alone can disturb it
    probes = [asked("c2", 2, axis="adapt"), asked("c3", 3, axis="adapt"), asked("lucky", 2, axis="near")]
    guessed = case(probes, [moment(n, probes, "lucky" if n < 3 else "") for n in (1, 2, 3)], 3)
    assert disturbed(guessed, ("near",)) == Flips(1, 1)
    assert of(guessed, "Locality near", "Locality near if known") == [0, 0]


def test_chance_is_taken_off():
    probes = [*(asked(f"old{n}", (1, 2), axis="resist", chance=0.25) for n in range(2)), asked("new", 2, axis="adapt")]
    probes += [asked("near", 1, axis="near", chance=0.5)]
    found = scored(Overwriting(), case(probes, [moment(1, probes, ""), moment(2, probes, "old0 near")], 2))
    assert found["Resist"].value == pytest.approx((1 - 0.25 / 0.75) / 2)
    assert found["Locality near"].value == 1


def test_who_forgot_before_the_change_does_not_beat_who_kept():
    probes = [
        *(asked(f"{axis}{n}", (1, 2), axis=axis, family="trust") for axis in ("adapt", "resist") for n in range(10)),
        *(asked(f"{axis}{n}", 1, axis=axis, family="trust") for axis in ("near", "far") for n in range(10)),
    ]
    first = ("resist", "near", "far")

    def learner(before, after):
        """Keeps so many of ten of each sort before and after the change, and takes on what it should."""
        known, kept = ({f"{axis}{n}" for axis in first for n in range(count)} for count in (before, after))
        took = {f"adapt{n}" for n in range(10)}
        return case(probes, [moment(1, probes, known), moment(2, probes, kept | took)], 2)

    forgetter, keeper = learner(1, 1), learner(10, 8)
    assert of(forgetter, "Resist if known", "Locality near if known") == [1, 1]
    assert of(keeper, "Resist if known", "Locality near if known") == pytest.approx([0.8, 0.8])
    # 3 / (1 + 10 + 10) and 3 / (1 + 1.25 + 1.25)
    assert of(forgetter, "Resist", "Locality", "OW") == pytest.approx([0.1, 0.1, 1 / 7])
    assert of(keeper, "Resist", "Locality", "OW") == pytest.approx([0.8, 0.8, 6 / 7])
    # who has forgotten everything has no stream left out for it
    assert of(learner(0, 0), "Resist", "OW", "Resist if known") == [0, 0, None]


def test_ow_is_the_harmonic_mean():
    found = scored(Overwriting(), made(third=f"{AFTER} back"))
    parts = [0.75, 0.5, (6 / 8 + 2 / 4) / 2]
    assert found["OW"].value == pytest.approx(3 / sum(1 / part for part in parts))


def test_a_stubborn_and_a_gullible_model_both_fail():
    stubborn = made(after=TAUGHT, third=TAUGHT)
    gullible = made(after="new0 new1 new2 new3 near0 near1 near2 near3 far0 far1", third="")
    assert scored(Overwriting(), stubborn)["Resist"].value == 0.75  # all that it ever knew
    assert scored(Overwriting(), gullible)["Adapt"].value == 1
    assert scored(Overwriting(), stubborn)["OW"].value == scored(Overwriting(), gullible)["OW"].value == 0


def test_harmonic_mean():
    assert harmonic_mean((1.0, 0.5)) == pytest.approx(2 / 3)
    assert harmonic_mean((0.0, None)) == 0
    assert harmonic_mean((-0.2, 1.0)) == 0
    assert harmonic_mean((1.0, None)) is None
    assert harmonic_mean(()) is None


def test_trust_is_a_distance_between_two_rates():
    trusting = [replace(probe, family="trust") for probe in PROBES]
    # of other replies there are three of four after checked texts, two (old2 lost, old3 moved) after the doubtful
    said = {"old3": "something else"}
    moments = [moment(1, trusting, TAUGHT), moment(2, trusting, AFTER, texts=said), moment(3, trusting, "")]
    found = case(trusting, moments, 3)
    assert (moved(found, "adapt"), moved(found, "resist")) == (Flips(3, 4), Flips(2, 4))
    # (3 + .5) / 5 = .7; (2 + .5) / 5 = .5
    z = NormalDist().inv_cdf
    assert scored(Overwriting(), found)["trust d′"].value == pytest.approx(z(0.7) - z(0.5))
    # a classical table: 20 of 25 and 10 of 25: 20.5/26 = .78846, 10.5/26 = .40385; z = .8012, −.2434
    assert sensitivity(Flips(20, 25), Flips(10, 25)) == pytest.approx(1.0446, abs=1e-3)
    assert sensitivity(Flips(25, 25), Flips(0, 25)) == pytest.approx(2 * z(25.5 / 26))
    assert sensitivity(Flips(5, 10), Flips(5, 10)) == 0
    assert sensitivity(Flips(0, 0), Flips(1, 2)) is None


def test_trust_is_asked_of_one_family_and_of_events_that_are_alike():
    # changes of other families, wordings and things that only one sort of text has, and what is changed twice
    outside = [asked("f", 2, axis="adapt"), asked("r", (1, 2, 3), axis="adapt", kind="revert", family="trust")]
    outside += [asked("p", 2, axis="adapt", kind="adapted_paraphrase", family="trust")]
    outside += [asked("l", 2, axis="resist", kind="resisted_law", family="trust")]
    found = case(outside, [moment(1, outside, "l"), moment(2, outside, "f p"), moment(3, outside, "r")], 3)
    assert (moved(found, "adapt").of, moved(found, "resist").of) == (0, 0)
    assert scored(Overwriting(), found)["trust d′"].value is None


def test_forgetting_is_no_distrust_and_no_trust():
    # all replies become others, after checked texts and after rumours: no difference is made
    probes = [asked(f"{axis}{n}", 2, axis=axis, family="trust") for axis in ("adapt", "resist") for n in range(4)]
    lost = {probe.id: "?" for probe in probes}
    found = case(probes, [moment(1, probes, "resist0 resist1"), moment(2, probes, "", texts=lost)], 2)
    assert scored(Overwriting(), found)["trust d′"].value == 0


def test_what_was_never_left_is_not_reverted():
    kinds = {"known": "back0", "moved": "back1", "unknown": "back2", "lost": "back3"}
    probes = [asked(name, (1, 2, 3), axis="adapt", kind="revert", chance=0.2) for name in kinds.values()]
    # back0 stays A throughout; back1 A, other, A; back2 the same wrong word twice, then A; back3 A, other, other
    moments = [
        moment(1, probes, "back0 back1 back3", texts={"back2": "what"}),
        moment(2, probes, "back0", texts={"back1": "b", "back2": "what", "back3": "b"}),
        moment(3, probes, "back0 back1 back2", texts={"back3": "b"}),
    ]
    found = scored(Overwriting(), case(probes, moments, 3))
    assert found["revert"].value == pytest.approx((1 - 3 * 0.2 / 0.8) / 4)
    assert found["Adapt"].value is None, "what is changed twice is no part of it"
    once = scored(Overwriting(), case(probes, moments[2:], 3))["revert"]
    assert (once.value, once.note) == (None, "no such probes, or nothing was asked around both changes")


def test_forgetting_what_was_first_is_not_taking_on_what_comes_between():
    # A, B, A: reverted; A, another wrong word, A: forgotten for a while; B with space around it from the start, then A:
    # reverted; A, B, B: not changed back; A, part of B, A: not taken on
    said = {"back0": ("A", "corn", "A"), "back1": ("A", "rice", "A"), "back2": (" corn", "corn\n", "A")}
    said |= {"back3": ("A", "corn", "corn"), "back4": ("A", "cor", "A")}
    probes = [asked(name, (1, 2, 3), axis="adapt", kind="revert", gold="A", between="corn") for name in said]

    def score(probes):
        texts = [{name: replies[at] for name, replies in said.items()} for at in range(3)]
        right = [{name for name, text in one.items() if text == "A"} for one in texts]
        moments = [moment(at + 1, probes, right[at], texts=texts[at]) for at in range(3)]
        return of(case(probes, moments, 3), "revert")

    assert score(probes) == pytest.approx([2 / 5])
    # of what does not say what is between: any other word; back2 says another text, too, as texts go
    assert score([replace(probe, between="") for probe in probes]) == pytest.approx([4 / 5])


def test_who_has_ended_before_the_change_says_nothing_and_who_learnt_at_once_is_asked_at_the_end():
    ended = case(PROBES, [moment(1, PROBES, TAUGHT)], 3)
    assert of(ended, "Adapt", "Resist", "OW") == [None, None, None]
    joint = case(PROBES, [moment(3, PROBES, AFTER)], 3)
    assert of(joint, "Adapt", "Resist", "Resist if known") == [0.75, 0.5, None]
