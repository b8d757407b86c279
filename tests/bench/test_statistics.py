import itertools
import math

import numpy as np
import pytest

from desiderata.hand_made import asked, case, moment
from everlearn.bench.statistics import (
    A_BETTER,
    B_BETTER,
    LEVEL,
    UNDECIDED,
    Mark,
    bootstrap,
    compare,
    detectable,
    holm,
    interval_over_streams,
    judge,
    least_error,
    marks,
    questions_needed,
    sign_flip,
    standard_error,
)
from everlearn.bench.student import student, student_tail


def world(draw, rate, streams=6, things=20, probes=2, between=0.0):
    """Random marks of 0 and 1 with a share of right answers that differs between streams."""
    found = []
    for stream in range(streams):
        share = rate + between * draw.standard_normal()
        for thing, probe in itertools.product(range(things), range(probes)):
            found.append(Mark(stream, f"t{thing}", f"{thing}-{probe}", float(draw.random() < share)))
    return found


def test_student_against_tables():
    table = {(0.975, 1): 12.7062, (0.975, 2): 4.3027, (0.975, 3): 3.1824, (0.975, 4): 2.7764, (0.975, 9): 2.2622,
             (0.975, 30): 2.0423, (0.8, 4): 0.9410, (0.95, 5): 2.0150}  # fmt: skip
    for (probability, freedom), value in table.items():
        assert student(probability, freedom) == pytest.approx(value, abs=1e-4)
    assert student_tail(0, 7) == 0.5
    assert student_tail(1.0, 1) == pytest.approx(0.25)  # Cauchy: 1/2 − atan(1) / π


def test_about_310_questions_show_5_points_and_1960_show_2():
    # two-sided, δ = .05: ((1.95996 √.1 + .84162 √.0975) / .05)² = (.88259 / .05)² = 311.6
    assert questions_needed(5) == 312
    # δ = .02: ((1.95996 √.1 + .84162 √.0996) / .02)² = (.88540 / .02)² = 1959.8
    assert questions_needed(2) == 1960
    assert questions_needed(-5) == 312
    assert questions_needed(20) == questions_needed(
        20, discordant=0.2
    )  # no fewer discordant answers than the difference


@pytest.mark.parametrize(("streams", "points"), [(5, 7), (8, 5), (10, 4)])
def test_few_streams_show_large_differences_only(streams, points):
    # 300 probes with correlation .5 (2 · .25 · .5 / 300), streams that differ by 3 points
    error = math.sqrt((0.25 / 300 + 0.03**2) / streams)
    assert round(100 * detectable(error, streams)) == points
    assert detectable(error, 1) == math.inf


def test_holm_by_hand():
    # sorted .01 .02 .03 .04 times 4 3 2 1 = .04 .06 .06 .04, made to rise: .04 .06 .06 .06
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.6, 0.9]) == (1.0, 1.0)
    assert holm([]) == ()


def test_sign_flips_by_hand():
    assert sign_flip([1, 1, 1]) == 2 / 8
    assert sign_flip([1, 2, 3]) == 2 / 8
    assert sign_flip([3, -1, 1]) == 6 / 8  # |sums|: 3 5 1 3 and their mirror images; as large as 3: 3 5 3
    assert sign_flip([0, 0]) == 1
    assert sign_flip([]) == 1
    assert sign_flip([0.1] * 10) == 2 / 1024


def test_many_streams_are_flipped_at_random():
    values = list(np.random.default_rng(0).normal(0.5, 1, 20))
    exact = np.mean([abs(np.dot(signs, values)) >= abs(sum(values)) - 1e-12
                     for signs in itertools.islice(itertools.product((-1, 1), repeat=20), 0, None, 97)])  # fmt: skip
    assert sign_flip(values) == sign_flip(values)
    assert sign_flip(values) == pytest.approx(exact, abs=0.02)


def test_the_difference_is_a_mean_of_streams_of_things_of_probes():
    a = [Mark(1, "x", "1", 1.0), Mark(1, "x", "2", 1.0), Mark(1, "y", "3", 0.0), Mark(2, "x", "1", 1.0)]
    b = [Mark(1, "x", "1", 1.0), Mark(1, "x", "2", 0.0), Mark(1, "y", "3", 1.0), Mark(2, "x", "1", 0.0)]
    found = compare("atoms", a, [*b, Mark(3, "x", "1", 1.0)])
    # stream 1: x (0 + 1) / 2, y −1: −.25; stream 2: 1
    assert found.difference == pytest.approx(0.375)
    assert (found.streams, found.probes, found.words) == (2, 4, UNDECIDED)


def test_bootstrap_against_theory():
    # 3 streams of 1 thing of 1 probe: the variance of a resampled mean is that of the values, over 3
    streams = [[np.array([value])] for value in (0.0, 1.0, 5.0)]
    means = bootstrap(streams, seed=0, resamples=40_000)
    assert np.mean(means) == pytest.approx(2, abs=0.03)
    assert np.var(means) == pytest.approx(np.var([0, 1, 5]) / 3, rel=0.03)
    # one stream of two things, the first with two probes whose resampled mean is 0 1 1 2; the other's is always 4
    means = bootstrap([[np.array([0.0, 2.0]), np.array([4.0])]], seed=0, resamples=40_000)
    drawn = [0, 1, 1, 2, 4, 4, 4, 4]  # mean 2.5, variance 70/8 − 6.25 = 2.5; a mean of two of them: 1.25
    assert np.mean(means) == pytest.approx(np.mean(drawn), abs=0.02)
    assert np.var(means) == pytest.approx(1.25, rel=0.03)


def test_a_stream_drawn_twice_is_drawn_afresh():
    # equal streams of two coins: a mean of 4 free coins has variance 1/16; with the same coins twice it would be more
    streams = [[np.array([0.0]), np.array([1.0])]] * 2
    assert np.var(bootstrap(streams, seed=1, resamples=40_000)) == pytest.approx(1 / 16, rel=0.03)


def test_the_error_puts_the_bias_of_few_streams_back():
    # one probe each: the error is that of a mean of three values
    found = [Mark(stream, "x", "1", value) for stream, value in enumerate((0.0, 1.0, 5.0))]
    assert standard_error(found) == pytest.approx(np.std([0, 1, 5], ddof=1) / math.sqrt(3), rel=0.03)
    assert standard_error([]) == 0


def test_intervals_of_one_method():
    found = interval_over_streams([0.2, 0.4, 0.6])
    # mean .4, SD .2, t(2) = 4.3027: half = 4.3027 · .2 / √3
    assert (found.value, found.high - found.value) == (pytest.approx(0.4), pytest.approx(0.49683, abs=1e-4))
    assert interval_over_streams([]) is None
    assert interval_over_streams([0.3]).high == math.inf


def test_verdicts_in_words():
    draw = np.random.default_rng(0)
    good, bad = world(draw, 0.9), world(draw, 0.3)
    assert compare("atoms", good, bad).words == A_BETTER
    assert compare("atoms", bad, good).words == B_BETTER
    same = compare("atoms", good, good)
    assert (same.difference, same.p, same.words) == (0, 1, UNDECIDED)
    assert compare("atoms", [], []).words == UNDECIDED


def test_a_seed_gives_the_same_verdict():
    draw = np.random.default_rng(0)
    a, b = world(draw, 0.6), world(draw, 0.5)
    assert compare("atoms", a, b, seed=3) == compare("atoms", a, b, seed=3)
    assert compare("atoms", a, b, seed=3) != compare("atoms", a, b, seed=4)


def all_right_and_all_wrong(streams, things):
    """Marks of two methods without any variance."""
    return [
        [Mark(stream, f"t{n}", str(n), value) for stream in range(streams) for n in range(things)]
        for value in (1.0, 0.0)
    ]


@pytest.mark.parametrize(("streams", "least"), [(2, 1 / 2), (3, 1 / 4), (4, 1 / 8)])
def test_fewer_than_five_streams_are_never_enough(streams, least):
    # 2 / 2^S: what flipping signs gives at best
    found = compare("atoms", *all_right_and_all_wrong(streams, 50))
    assert found.p == found.flipped == least
    assert found.words == UNDECIDED
    assert compare("atoms", *all_right_and_all_wrong(5, 50)).words == A_BETTER


def test_one_stream_has_no_interval():
    one = compare("atoms", *all_right_and_all_wrong(1, 50))
    assert (one.p, one.high, one.detectable) == (1, math.inf, math.inf)


def test_equal_marks_leave_some_error():
    # 5 streams of 2 things: n = 10, q = 1/20, √(.05 · .95 / 10) = .06892; t(4) = 2.7764 times that = .19135
    found = compare("atoms", *all_right_and_all_wrong(5, 2))
    assert found.high - found.difference == pytest.approx(0.19135, abs=1e-4)
    assert found.p > 0
    # marks of one thing count once, and a step of 2 counts twice
    twice = [Mark(stream, "x", str(n), 2.0) for stream in range(5) for n in range(2)]
    # n = 5, q = 1/10: 2 √(.1 · .9 / 5) = .26833
    assert least_error(twice) == pytest.approx(0.26833, abs=1e-4)
    assert least_error([]) == 0


def test_six_answers_prove_nothing():
    assert compare("atoms", *all_right_and_all_wrong(3, 2)).words == UNDECIDED


def test_interval_and_p_are_those_of_a_paired_t_test_over_streams():
    draw = np.random.default_rng(2)
    a, b = world(draw, 0.7), world(draw, 0.5)
    of_b = {(m.stream, m.probe): m.value for m in b}
    means = [np.mean([m.value - of_b[m.stream, m.probe] for m in a if m.stream == s]) for s in range(6)]
    found = compare("atoms", a, b)
    error = np.std(means, ddof=1) / math.sqrt(6)
    assert found.difference == pytest.approx(np.mean(means))
    assert found.high - found.difference == pytest.approx(student(0.975, 5) * error)
    assert found.p == pytest.approx(2 * student_tail(np.mean(means) / error, 5))
    assert found.p < found.bootstrapped, "the bootstrap counts some noise twice"


def test_several_axes_are_judged_together():
    draw = np.random.default_rng(5)
    sure = compare("sure", world(draw, 0.9), world(draw, 0.1))
    close = next(
        found
        for seed in range(100)
        for found in [
            compare("close", world(np.random.default_rng(seed), 0.6), world(np.random.default_rng(seed + 500), 0.5))
        ]
        if 0.03 < found.p < 0.05
    )
    assert close.words != UNDECIDED
    judged = judge([close, close, sure])
    assert [verdict.words for verdict in judged] == [UNDECIDED, UNDECIDED, A_BETTER]
    assert judged[0].adjusted == pytest.approx(2 * close.p)


@pytest.mark.parametrize("between", [0.0, 0.1])
def test_equal_methods_are_told_apart_as_often_as_the_level_says(between):
    wrong = 0
    for seed in range(400):
        draw = np.random.default_rng(seed)
        a, b = (world(draw, 0.5, streams=5, things=12, probes=1, between=between) for _ in range(2))
        wrong += compare("atoms", a, b, resamples=2).p < LEVEL
    assert 8 <= wrong <= 32  # 5 % of 400, and three standard deviations each way


def test_the_detectable_difference_is_detected_as_often_as_it_says():
    def compared(seed, difference):
        draw = np.random.default_rng(seed)
        return compare(
            "atoms",
            *(world(draw, 0.5 + d / 2, streams=8, probes=1, between=0.05) for d in (difference, -difference)),
            resamples=2,
        )

    least = float(np.median([compared(seed, 0.0).detectable for seed in range(100)]))
    seen = sum(compared(1000 + seed, least).p < LEVEL for seed in range(200))
    assert 0.65 < seen / 200 < 0.9


def test_marks_are_chance_corrected_and_carry_the_stream():
    probes = [asked("a", 1, chance=0.5, key="x"), asked("b", 1, chance=0.5), asked("g", axis="general")]
    made = case(probes, [moment(1, probes, "a")], 1)
    assert marks(made, lambda probe: probe.axis == "atom") == (
        Mark(1, "facts x", "a", 1.0),
        Mark(1, "facts b", "b", -1.0),
    )
