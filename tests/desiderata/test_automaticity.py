import pytest

from desiderata.hand_made import asked, case, moment, reference, scored
from everlearn.desiderata.automaticity import Automaticity, shadow_by_chance, shadow_rate

# skill s is asked twice by name and once without, t once each way, u by name only
PROBES = [
    asked("s1", 1, cue="cued", key="s"),
    asked("s2", 1, cue="cued", key="s"),
    asked("s3", 1, cue="uncued", key="s"),
    asked("t1", 1, cue="cued", key="t"),
    asked("t2", 1, cue="uncued", key="t"),
    asked("u1", 1, cue="cued", key="u"),
]


def made(right, **more):
    return case(PROBES, [moment(1, PROBES, right, **more)], 1)


def test_uncued_against_cued_over_things_asked_both_ways():
    found = scored(Automaticity(), made("s1 t1 t2 u1"))
    assert found["cued"].value == pytest.approx(0.75)  # s: .5, t: 1; u does not count
    assert found["uncued"].value == pytest.approx(0.5)  # s: 0, t: 1
    assert found["AU"].value == pytest.approx(0.5 / 0.75)


def test_a_skill_that_fails_by_name_says_nothing():
    found = scored(Automaticity(), made("s3 t2"))["AU"]
    assert (found.value, found.note) == (None, "the named skill is only 0.00 above chance")


def test_shadow_rate_counts_wrong_replies_that_another_thing_calls_for():
    probes = [
        asked("a", 1, rivals=("blue", "green")),
        asked("b", 1, rivals=("blue", "green")),
        asked("c", 1, rivals=("red",)),
        asked("d", 1, rivals=("red",)),
        asked("e", 1, rivals=("no",), chance=0.5),
        asked("f", 1),
    ]
    # a says a rival's reply, b nobody's, c a rival's of b; d is right; e has two answers only, f no rivals
    texts = {"a": " blue", "b": "white", "c": "green", "e": "no", "f": "red"}
    made = case(probes, [moment(1, probes, "d", texts=texts)], 1)
    assert shadow_rate(made) == pytest.approx(1 / 3)
    assert shadow_rate(case(probes, [moment(1, probes, "a b c d e f")], 1)) is None


def test_a_shadow_by_chance_is_the_share_of_rivals_among_plausible_wrong_replies():
    probes = [
        asked("a", 1, rivals=("blue", "green"), chance=0.2),
        asked("b", 1, rivals=("blue",), chance=0.2),
        asked("c", 1, rivals=("red",), chance=0.2),
    ]
    made = case(probes, [moment(1, probes, "c")], 1)
    assert shadow_by_chance(made) == pytest.approx((2 / 4 + 1 / 4) / 2)


def test_context_tokens():
    assert scored(Automaticity(), made("s1"))["context tokens"].value == 0
    context = reference("mine", moment(1, PROBES, ""))
    read = case(PROBES, [moment(1, PROBES, "")], 1, context=context, reading_tokens={"s1": 10, "t1": 30})
    assert scored(Automaticity(), read)["context tokens"].value == 20
