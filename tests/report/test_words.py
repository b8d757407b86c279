"""Numbers in plain words."""

import pytest

from everlearn.comparison import FAIL, PASS, UNDECIDED
from everlearn.records import Comparison, Cost, Verdict
from everlearn.report import words
from everlearn.report.rate import Estimate, Rate


def plain(text):
    return text.replace(words.NO_BREAK, " ")


@pytest.mark.parametrize(
    ("share", "said"),
    [(0, "0 %"), (1, "100 %"), (0.875, "88 %"), (0.999, ">99 %"), (0.001, "<1 %"), (0.025, "3 %"), (0.5, "50 %")],
)
def test_percent_says_all_or_nothing_only_where_it_is(share, said):
    assert plain(words.percent(share)) == said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.8, 0.93, "80–93 %"), (0.996, 1.0, "99–100 %"), (0.0, 0.004, "0–1 %"), (0, 1, "0–100 %")],
)
def test_span_never_closes_an_open_end(low, high, said):
    assert plain(words.span(low, high)) == said


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (0.825, "+83"),
        (-0.018, "−1.8"),
        (-0.03, "−3"),
        (0.97 - 1, "−3"),
        (0.0, "0"),
        (0.0001, "0"),
        (-0.11, "−11"),
        (0.0996, "+10"),
    ],
)
def test_points_keep_one_decimal_below_ten(difference, said):
    assert words.points(difference) == said


def test_evidence_has_the_count_and_the_interval():
    assert plain(words.evidence(Rate(8, 10))) == "8 of 10, 95 % interval 49–94 %"


def test_estimates_have_their_interval_and_questions():
    assert plain(words.estimate_share(Estimate(0.87, 0.79, 0.92, 1108))) == "87 % (79–92 %, 1,108 questions)"
    assert plain(words.estimate_points(Estimate(-0.018, -0.034, 0.002, 1))) == "−1.8 points (−3.4 to +0.2, 1 question)"


def kept(verdict, needed=0):
    return Comparison("general, against the base", 1.0, 0.975, -0.045, -0.005, 400, verdict, -0.03, needed)


def learnt(verdict, needed=0):
    return Comparison("learnt", 0.05, 0.875, 0.63, 0.94, 40, verdict, 0.0, needed)


@pytest.mark.parametrize(
    ("comparison", "said"),
    [
        (kept(PASS), "Surely within the 3 points that may be lost."),
        (kept(FAIL), "Surely more than the 3 points that may be lost."),
        (
            kept(UNDECIDED, 12345),
            "Not enough evidence that the loss is within the 3 points that may be lost: 12,345 questions would tell.",
        ),
        (learnt(PASS), "It surely learnt."),
        (learnt(FAIL), "It surely got worse."),
        (learnt(UNDECIDED, 60), "Not enough evidence that it learnt: 60 questions would tell."),
    ],
)
def test_explain_says_what_is_proven(comparison, said):
    assert plain(words.explain(comparison)).endswith(f"). {said}")


def test_explain_has_all_numbers():
    assert plain(words.explain(kept(PASS))).startswith(
        "98 % of what was right before still is (390 of 400; −2.5 points, 95 % interval −4.5 to −0.5)."
    )
    assert plain(words.explain(learnt(PASS))).startswith(
        "From 5 % to 88 % right (35 of 40; +83 points, 95 % interval +63 to +94)."
    )


def test_explain_without_questions():
    assert words.explain(Comparison("learnt", 0, 0, -1, 1, 0, UNDECIDED)) == "No question was asked both times."


def test_reason_owns_up_to_doubt_and_names_a_refusal():
    assert words.reason(Verdict(True, "nothing lost, something learnt", (learnt(PASS),))) == (
        "Nothing lost, something learnt."
    )
    assert "1 of 2 comparisons lack" in words.reason(Verdict(True, "…", (kept(UNDECIDED, 9), learnt(PASS))))
    assert words.reason(Verdict(False, "earlier stages: 1.000 → 0.200", (kept(UNDECIDED, 9),))).startswith("Earlier")
    assert words.reason(None) == ""


def test_outcome():
    assert [words.outcome(v) for v in (None, Verdict(True, ""), Verdict(False, ""))] == [
        "Not judged",
        "Accepted",
        "Rejected",
    ]


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (18_874_368, "18.9 MB"), (5e15, "5000.0 TB")]
)
def test_size(count, said):
    assert plain(words.size(int(count))) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.04, "0.0 s"), (9.96, "10 s"), (59.6, "1 min"), (112, "1 min 52 s"), (3725, "1 h 2 min")]
)
def test_duration(seconds, said):
    assert plain(words.duration(seconds)) == said


def test_power():
    assert words.power(1.25e15) == "1.2 × 10¹⁵"
    assert words.power(0) == "0"


def test_tokens_come_in_the_order_of_use():
    assert words.tokens(Cost({"exam": 1, "new": 2, "odd": 3, "replayed": 4})) == [
        ("new", 2),
        ("replayed", 4),
        ("exam", 1),
        ("odd", 3),
    ]


def test_for_terminal_leaves_no_hidden_spaces():
    assert words.for_terminal(words.percent(0.87) + words.size(2000)) == "87%2.0 kB"
