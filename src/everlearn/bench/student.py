"""A probability or a value in, the quantile or the tail of Student's t out, for whole degrees of freedom."""

from __future__ import annotations

import math


def student(probability: float, freedom: int) -> float:
    """Quantile of Student's t for a probability of at least one half, by bisection."""
    low, high = 0.0, 1.0
    while student_tail(high, freedom) > 1 - probability:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if student_tail(middle, freedom) > 1 - probability else (low, middle)
    return (low + high) / 2


def student_tail(t: float, freedom: int) -> float:
    """P(T > t) for t ≥ 0 and whole degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4)."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine, odd = math.cos(angle), freedom % 2
    term, total = (cosine, 0.0) if odd else (1.0, 0.0)
    for step in range(1 + odd, freedom, 2):
        total += term
        term *= cosine**2 * step / (step + 1)
    centre = math.sin(angle) * total
    return (1 - (2 / math.pi * (angle + centre) if odd else centre)) / 2
