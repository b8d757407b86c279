import pytest

from desiderata.hand_made import atoms, case, moment, names, reference, scored
from everlearn.desiderata.efficiency import Efficiency, area_under, at_budget, learning_curve, pareto, share_to_reach
from everlearn.records import Cost

PROBES = atoms(2, 4)


def cost(flops, **tokens):
    return Cost(tokens=tokens, flops=flops)


def made(**more):
    # stage 1 while it is learnt: 0, then 2 of 4 at half, then 4 of 4; stage 2 ends at 3 of 4 without points within
    moments = [
        moment(1, PROBES[:4], names(1, 2), share=0.5, cost=cost(60, new=5)),
        moment(1, PROBES, names(1, 4), cost=cost(100, new=10, replayed=1), bytes_kept=50),
        moment(2, PROBES, names(1, 4) + names(2, 3), cost=cost(300, new=10, replayed=20), bytes_kept=100),
    ]
    return case(PROBES, moments, 2, **more)


def test_a_learning_curve_runs_from_before_the_stage_to_its_end():
    assert learning_curve(made(), 1) == ((0, 0), (0.5, 0.5), (1, 1))
    assert learning_curve(made(), 2) == ()


def test_area_and_exposures():
    curve = ((0.0, 0.0), (0.25, 0.6), (1.0, 1.0))
    assert area_under(curve) == pytest.approx(0.25 * 0.3 + 0.75 * 0.8)
    assert share_to_reach(curve, 0.8) == pytest.approx(0.25 + 0.75 * 0.2 / 0.4)
    assert share_to_reach(curve, 0.0) == 0
    assert share_to_reach(((0.0, 0.0), (1.0, 0.5)), 0.8) is None


def test_speed():
    found = scored(Efficiency(), made())
    assert found["AULC"].value == pytest.approx(0.5)
    assert found["to criterion"].value == pytest.approx(0.8)  # between (.5, .5) and (1, 1)


def test_a_criterion_that_is_missed_is_no_number():
    moments = [moment(1, PROBES, "1a", share=0.5), moment(1, PROBES, "1a 1b"), moment(2, PROBES, "")]
    found = scored(Efficiency(), case(PROBES, moments, 2))["to criterion"]
    assert (found.value, found.note) == (None, "not reached in 1 of 1 stages")


def test_relative_performance():
    alone = reference("solo", moment(1, PROBES, names(1, 4)), moment(2, PROBES, names(2, 4)))
    assert scored(Efficiency(), made(solo=alone))["RP"].value == pytest.approx(1.75 / 2)  # (1 + .75) / (1 + 1)
    assert scored(Efficiency(), made())["RP"].note == "no solo reference"


def test_costs_count_whole_stages_once():
    found = scored(Efficiency(), made())
    assert found["FLOPs"].value == 400  # the point within stage 1 is part of it
    assert (found["tokens new"].value, found["tokens replayed"].value, found["tokens teacher"].value) == (20, 21, 0)


def test_bytes_and_their_growth():
    found = scored(Efficiency(), made())
    assert (found["bytes kept"].value, found["bytes per stage"].value) == (100, 50)
    assert found["MS"].value == pytest.approx(0.75)  # (50/50 + 50/100) / 2


def test_a_method_that_keeps_nothing_has_the_best_size():
    moments = [moment(1, PROBES, ""), moment(2, PROBES, "")]
    assert scored(Efficiency(), case(PROBES, moments, 2))["MS"].value == 1


def test_a_fixed_budget_buys_whole_stages():
    assert at_budget(made(), 400).stage == 2
    assert at_budget(made(), 399).stage == 1
    assert at_budget(made(), 99).stage == 0
    assert at_budget(made(), 400, kept=60).stage == 1


def test_jns_at_the_cost_of_joint_training():
    everything = names(1, 4) + names(2, 4)
    cheap = reference("joint", moment(2, PROBES, everything, cost=cost(200)))
    dear = reference("joint", moment(2, PROBES, everything, cost=cost(390)))
    assert scored(Efficiency(), made(joint=cheap))["JNS at budget"].value == pytest.approx(0.5)  # stage 1 alone
    assert scored(Efficiency(), made(joint=dear))["JNS at budget"].value == pytest.approx(0.875)  # within 5 %
    free = reference("joint", moment(2, PROBES, everything))
    assert scored(Efficiency(), made(joint=free))["JNS at budget"].note == "costs were not recorded"


def test_learning_is_set_against_joint_trainings_cost_and_storage():
    everything = names(1, 4) + names(2, 4)
    joint = reference("joint", moment(2, PROBES, everything, cost=cost(200), bytes_kept=25))
    found = scored(Efficiency(), made(joint=joint))
    assert found["JNS per FLOP"].value == pytest.approx(0.875 * 200 / 400)  # JNS 0.875 for twice the operations
    assert found["JNS per byte"].value == pytest.approx(0.875 * 25 / 100)
    free = scored(Efficiency(), made(joint=reference("joint", moment(2, PROBES, everything))))
    assert free["JNS per FLOP"].note == free["JNS per byte"].note == "costs were not recorded"


def test_notes_in_the_prompt_cost_computation():
    context = reference("mine", moment(2, PROBES, ""))
    tokens = {probe.id: 10 + 10 * number for number, probe in enumerate(PROBES[:3])}
    found = scored(Efficiency(), made(context=context, reading_tokens=tokens))
    assert found["FLOPs per question"].value == 2 * 1000 * 20
    assert scored(Efficiency(), made())["FLOPs per question"].value == 0


def test_what_a_method_puts_into_questions_costs_computation():
    moments = [moment(1, PROBES, "", prompt_tokens=5.0), moment(2, PROBES, "", prompt_tokens=12.5)]
    assert scored(Efficiency(), case(PROBES, moments, 2))["FLOPs per question"].value == 2 * 1000 * 12.5


def test_the_pareto_front_holds_what_nothing_beats():
    #           dear, best   cheap, weak   beaten by 1   as cheap as 1, better   same as 0
    points = [(10.0, 0.9), (2.0, 0.3), (3.0, 0.2), (2.0, 0.4), (10.0, 0.9)]
    assert pareto(points) == (3, 0, 4)
    assert pareto([]) == ()


def test_shrinking_is_no_better_than_staying():
    moments = [moment(1, PROBES, "", bytes_kept=100), moment(2, PROBES, "", bytes_kept=50)]
    assert scored(Efficiency(), case(PROBES, moments, 2))["MS"].value == 1  # (100/100 + 100/50) / 2 is held to 1
