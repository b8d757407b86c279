"""How another grid ranks the same methods in, the same plain words for the terminal and the page out."""

from __future__ import annotations

from everlearn.bench.agreement import ENOUGH, MOST_EXACT, least_p
from everlearn.bench.report.columns import chance_of, figure
from everlearn.bench.report.content import Beside

READING = (
    "Spearman's ρ and Kendall's τ-b: 1 where both rank alike, −1 the other way round. Means that differ by noise alone "
    "are ranked by it, which draws the figures towards 0.",
    "p: the share of all orders of the methods that agree or disagree as much; two-sided, exact, for each score alone; "
    f"none above {MOST_EXACT} methods.",
    "References, and methods that trained nothing, do not count.",
)
"""What the figures are, a sentence or two each."""


def coefficient(value: float | None) -> str:
    """`0.80`, `−1.00`; a dash where there is none."""
    return "–" if value is None else figure(value)


def p_of(p: float | None) -> str:
    """`0.083`; a dash where none was computed."""
    return "–" if p is None else chance_of(p)


def based_on(beside: Beside) -> str:
    """How many methods the figures are based on, and what can be told from so many."""
    count = len(beside.arms)
    based = f"Based on {count} methods that both have: {', '.join(beside.arms)}."
    if count >= ENOUGH:
        return based
    few = f"With fewer than about {ENOUGH} hardly anything can be told; p cannot be below {least_p(count):.2g}."
    return f"{based} {few}"
