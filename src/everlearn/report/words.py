"""Numbers in, the same plain words for the terminal and the page out."""

from __future__ import annotations

import math

from everlearn.comparison import FAIL, PASS, UNDECIDED
from everlearn.records import Comparison, Cost, Verdict
from everlearn.report.rate import Estimate, Rate

NO_BREAK = "\N{NO-BREAK SPACE}"
PERCENT = f"{NO_BREAK}%"
KINDS = ("new", "replayed", "synthetic", "teacher", "generated", "study", "exam")
SIZES = ("B", "kB", "MB", "GB", "TB")
POWERS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def whole_percent(share: float) -> str:
    """`87`: a share in whole percent; 100 and 0 only where nothing or everything is missing."""
    rounded = _rounded(100 * share)
    if rounded == 100 and share < 1:
        return ">99"
    if rounded == 0 and share > 0:
        return "<1"
    return str(rounded)


def percent(share: float) -> str:
    """`87 %`."""
    return whole_percent(share) + PERCENT


def span(low: float, high: float) -> str:
    """`81–92 %`: an interval of a share, in whole percent; it never rounds to nothing or everything."""
    lower = min(_rounded(100 * low), 99) if low < 1 else 100
    upper = max(_rounded(100 * high), 1) if high > 0 else 0
    return f"{lower}–{upper}{PERCENT}"


def points(difference: float) -> str:
    """`+88`, `−1.8`: a difference of shares in percentage points, with one decimal below ten."""
    amount = round(100 * abs(difference), 1)
    text = str(_rounded(amount)) if amount >= 10 or amount == int(amount) else str(amount)
    return text if amount == 0 else ("+" if difference > 0 else "−") + text


def point_span(low: float, high: float) -> str:
    """`−3.4 to +0.2`: an interval of a difference, in percentage points."""
    return f"{points(low)} to {points(high)}"


def out_of(rate: Rate) -> str:
    """`131 of 150`."""
    return f"{rate.right:,} of {rate.asked:,}"


def evidence(rate: Rate) -> str:
    """`131 of 150, 95 % interval 81–92 %`."""
    return f"{out_of(rate)}, 95{PERCENT} interval {span(rate.low, rate.high)}"


def estimate_share(estimate: Estimate) -> str:
    """`87 % (81–92 %, 150 questions)`: a mean of shares."""
    return f"{percent(estimate.value)} ({span(estimate.low, estimate.high)}, {count_questions(estimate.questions)})"


def estimate_points(estimate: Estimate) -> str:
    """`−1.8 points (−3.4 to +0.2, 150 questions)`: a mean of differences."""
    inside = f"{point_span(estimate.low, estimate.high)}, {count_questions(estimate.questions)}"
    return f"{points(estimate.value)}{NO_BREAK}points ({inside})"


def outcome(verdict: Verdict | None) -> str:
    """The verdict in one word."""
    if verdict is None:
        return "Not judged"
    return "Accepted" if verdict.accepted else "Rejected"


def reason(verdict: Verdict | None) -> str:
    """Why, as a sentence to stand beside the comparisons; empty where there is no verdict."""
    if verdict is None:
        return ""
    unsure = sum(comparison.verdict == UNDECIDED for comparison in verdict.comparisons)
    if verdict.accepted and unsure:
        return f"By the estimates: {unsure} of {len(verdict.comparisons)} comparisons lack the evidence to be sure."
    return f"{verdict.reason[:1].upper()}{verdict.reason[1:]}."


def explain(comparison: Comparison) -> str:
    """One comparison of the gate as a sentence, with its numbers and what they prove."""
    if not comparison.questions:
        return "No question was asked both times."
    right = round(comparison.after * comparison.questions)
    change = points(comparison.after - comparison.before)
    interval = f"{change}{NO_BREAK}points, 95{PERCENT} interval {point_span(comparison.low, comparison.high)}"
    counted = f"{right:,} of {comparison.questions:,}"
    if comparison.name == "learnt":
        said = f"From {percent(comparison.before)} to {percent(comparison.after)} right ({counted}; {interval})."
    else:
        said = f"{percent(comparison.after)} of what was right before still is ({counted}; {interval})."
    return f"{said} {_bound(comparison)}"


def _bound(comparison: Comparison) -> str:
    learnt = comparison.name == "learnt"
    allowed = f"the {points(-comparison.least).lstrip('+')}{NO_BREAK}points that may be lost"
    if comparison.verdict == PASS:
        return "It surely learnt." if learnt else f"Surely within {allowed}."
    if comparison.verdict == FAIL:
        return "It surely got worse." if learnt else f"Surely more than {allowed}."
    doubt = "it learnt" if learnt else f"the loss is within {allowed}"
    return f"Not enough evidence that {doubt}: {count_questions(comparison.needed)} would tell."


def size(count: int) -> str:
    """`1.5 MB`: a number of bytes, in decimal units."""
    step = min(len(SIZES) - 1, int(math.log10(count) // 3)) if count > 0 else 0
    return f"{count:,}{NO_BREAK}B" if step == 0 else f"{count / 1000**step:.1f}{NO_BREAK}{SIZES[step]}"


def duration(seconds: float) -> str:
    """`1 min 52 s`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f}{NO_BREAK}s" if seconds < 9.95 else f"{whole}{NO_BREAK}s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else rest, "s")]
    return " ".join(f"{amount}{NO_BREAK}{unit}" for amount, unit in parts if amount)


def power(number: float) -> str:
    """`1.2 × 10¹⁵`."""
    if number == 0:
        return "0"
    mantissa, exponent = f"{number:.1e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(POWERS)}"


def tokens(cost: Cost) -> list[tuple[str, int]]:
    """Tokens by kind, in the order in which a stage uses them."""
    order = {kind: place for place, kind in enumerate(KINDS)}
    return sorted(cost.tokens.items(), key=lambda entry: order.get(entry[0], len(KINDS)))


def nats(divergence: float) -> str:
    """`0.031`: nats per token, three decimals."""
    return f"{divergence:.3f}"


def count_questions(count: int) -> str:
    """`1 question`, `1,024 questions`."""
    return f"{count:,} question{'' if count == 1 else 's'}"


def for_terminal(text: str) -> str:
    """The text with `87%` for `87 %`: a terminal breaks lines at no-break spaces all the same."""
    return text.replace(PERCENT, "%").replace(NO_BREAK, " ")


def _rounded(number: float) -> int:
    """Half away from zero, so that 82.5 is read as people read it."""
    return math.floor(number + 0.5 + 1e-9)
