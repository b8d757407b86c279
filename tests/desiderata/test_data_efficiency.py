from dataclasses import replace

import pytest

from desiderata.hand_made import asked, atoms, case, moment, names, reference, scored
from everlearn.desiderata.data_efficiency import DataEfficiency
from everlearn.records import Cost

PROBES = [*atoms(1, 4), asked("r1", 1, axis="derived", kind="reverse"), asked("r2", 1, axis="derived", kind="reverse")]
CONTEXT = reference("context", moment(1, PROBES, "1a 1b 1c r1 r2"))


def made(context=CONTEXT, right="1a 1b 1c 1d", **more):
    moments = [moment(1, PROBES, names(1, 2), share=0.5), moment(1, PROBES, right, cost=Cost(flops=8e6))]
    return case(PROBES, moments, 1, context=context, **more)


def test_gap_to_reading_by_axis_and_kind():
    found = scored(DataEfficiency(), made())
    assert found["G_ICL"].value == pytest.approx(5 / 6 - 4 / 6)
    assert found["G_ICL atom"].value == pytest.approx(-0.25)
    assert found["G_ICL derived"].value == pytest.approx(1)
    assert found["G_ICL composition"].note == "no such probes"


def test_nothing_is_held_against_a_base_that_reads_poorly():
    poor = made(context=reference("context", moment(1, PROBES, "1a r1 r2")))  # 1 of 4 atoms, though both reversals
    found = scored(DataEfficiency(), poor)
    for name in ("G_ICL", "G_ICL atom", "G_ICL derived", "to match context"):
        assert found[name].value is None
        assert found[name].note == "the base reads its context poorly: 0.25 above chance on atoms"
    # half of the atoms is enough
    fair = scored(DataEfficiency(), made(context=reference("context", moment(1, PROBES, "1a 1b"))))
    assert fair["G_ICL"].value == pytest.approx(2 / 6 - 4 / 6)


def test_a_skill_that_is_only_implied_does_not_tell_whether_notes_are_read():
    probes = [asked("named", 1, cue="cued"), *(asked(f"implied{n}", 1, cue="uncued") for n in range(3))]
    context = reference("context", moment(1, probes, "named"))
    found = scored(DataEfficiency(), case(probes, [moment(1, probes, "")], 1, context=context))
    assert found["G_ICL"].value == 0.25


def test_without_atoms_nobody_knows_whether_it_reads():
    probes = [asked("r", 1, axis="derived")]
    context = reference("context", moment(1, probes, "r"))
    found = scored(DataEfficiency(), case(probes, [moment(1, probes, "")], 1, context=context))
    assert (found["G_ICL"].value, found["G_ICL"].note) == (None, "no atoms tell whether the base reads its context")


def test_exposures_to_match_context():
    # context reaches .75; the curve goes 0, .5 at half, 1 at the end
    assert scored(DataEfficiency(), made())["to match context"].value == pytest.approx(0.75)
    never = scored(DataEfficiency(), made(right="1a 1b"))["to match context"]
    assert (never.value, never.note) == (None, "not reached in 1 of 1 stages")


def test_break_even():
    tokens = {"1a": 10, "1b": 30}
    # 8e6 / (2 · 1000 · 20)
    assert scored(DataEfficiency(), made(reading_tokens=tokens))["break-even queries"].value == pytest.approx(200)
    assert scored(DataEfficiency(), made())["break-even queries"].value is None


@pytest.mark.parametrize(("own", "queries"), [(0.0, 200), (4.0, 250), (20.0, None), (30.0, None)])
def test_notes_that_a_method_puts_into_questions_are_no_gain(own, queries):
    found = made(reading_tokens={"1a": 10, "1b": 30})
    last = replace(found.trial.last, prompt_tokens=own)
    trial = replace(found.trial, moments=(*found.trial.moments[:-1], last))
    score = scored(DataEfficiency(), replace(found, trial=trial))["break-even queries"]
    assert score.value == (None if queries is None else pytest.approx(queries))  # 8e6 / (2 · 1000 · (20 − own))
    assert ("as long as" in score.note) == (queries is None)


def test_use_of_context_is_asked_by_the_general_skill_reading():
    assert scored(DataEfficiency(), made())["in-context change"].value is None
    probes = [asked(name, axis="general", kind="reading") for name in "abcd"]
    harmed = case(probes, [moment(1, probes, "a")], 1, base="a b c")
    assert scored(DataEfficiency(), harmed)["in-context change"].value == pytest.approx(-0.5)


def test_without_the_reference():
    found = scored(DataEfficiency(), made(context=None))
    assert {found[name].value for name in ("G_ICL", "G_ICL atom", "to match context")} == {None}
    assert found["G_ICL"].note == "no in-context reference"
