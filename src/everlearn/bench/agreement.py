"""A score of the same arms on two grids in; how far both put them in the same order, and how sure that is, out.

Pure functions: nothing is read, and ties are allowed everywhere.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SCORES = ("LA", "BWT", "ACC", "JNS", "rho", "CS_cross", "OW", "AU")
"""Scores by which arms are ranked; of all of them more is better."""
MOST_EXACT = 8
"""Arms up to which every order is tried: 8! is 40,320."""
ENOUGH = 8
"""Arms below which ranks tell hardly anything."""
CLOSE = 1e-9
"""Within which two means count as tied, and two coefficients as equally extreme."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """How alike two grids rank the arms that both have, by one score."""

    score: str
    arms: tuple[str, ...]
    """Those with a mean on both."""
    spearman: float | None
    """ρ: 1 the same order, −1 the opposite one; None for fewer than two arms, or where a grid has all of them tied."""
    kendall: float | None
    """τ-b, likewise."""
    spearman_p: float | None
    """Exact two-sided permutation p of ρ; None above MOST_EXACT arms, and where there is no ρ."""
    kendall_p: float | None
    """The same of τ-b."""


def agreement(score: str, one: Mapping[str, float], other: Mapping[str, float]) -> Agreement:
    """Compare the ranks of the arms that both have.

    Args:
        score: its name.
        one: mean over streams by arm, on one grid.
        other: the same on the other grid.
    """
    arms = tuple(name for name in one if name in other)
    x, y = [one[name] for name in arms], [other[name] for name in arms]
    rho, tau = spearman(x, y), kendall(x, y)
    tried = len(arms) <= MOST_EXACT
    return Agreement(
        score,
        arms,
        rho,
        tau,
        _exact(_centred(x), _centred(y)) if tried and rho is not None else None,
        _exact(_pairs(x), _pairs(y)) if tried and tau is not None else None,
    )


def ranks(values: Sequence[float]) -> tuple[float, ...]:
    """1 for the least value; tied ones share the mean of their places."""
    ordered = sorted(values)
    places: list[float] = []
    for value in values:
        same = [place for place, found in enumerate(ordered, start=1) if abs(found - value) <= CLOSE]
        places.append(sum(same) / len(same))
    return tuple(places)


def spearman(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Spearman's ρ (1904): Pearson's correlation of the mid-ranks, which allows ties; None where it is undefined."""
    return _ratio(_centred(x), _centred(y))


def kendall(x: Sequence[float], y: Sequence[float]) -> float | None:
    """Kendall's τ-b (1945): (C − D) / √((P − T_x)(P − T_y)) of P pairs, C in the same order, D in opposite ones, T tied
    on one side; None where it is undefined."""
    return _ratio(_pairs(x), _pairs(y))


def least_p(arms: int) -> float:
    """The least two-sided p that so many arms without ties can have: 2 / arms!; 1 for fewer than two."""
    return min(1.0, 2 / math.factorial(arms))


def _centred(values: Sequence[float]) -> Floats:
    """Ranks about their mean, one for each arm."""
    placed = np.asarray(ranks(values), float)
    return placed - (len(values) + 1) / 2


def _pairs(values: Sequence[float]) -> Floats:
    """−1, 0 or 1 for each ordered pair of arms, as a square table."""
    placed = np.asarray(ranks(values), float)
    table: Floats = np.sign(placed[:, None] - placed[None, :])
    return table


def _ratio(x: Floats, y: Floats) -> float | None:
    """Σ x y / √(Σ x² Σ y²): both coefficients are of this form (Daniels 1944)."""
    spread = math.sqrt(float((x * x).sum()) * float((y * y).sum()))
    return float((x * y).sum()) / spread if spread > 0 else None


def _exact(x: Floats, y: Floats) -> float:
    """Share of all orders of the arms on one side that give as large a |Σ x y|: its divisor is the same for all."""
    orders = np.array(list(itertools.permutations(range(len(y)))))
    turned = y[orders] if y.ndim == 1 else y[orders[:, :, None], orders[:, None, :]]
    sums = np.abs((turned * x).reshape(len(orders), -1).sum(axis=1))
    return float(np.mean(sums >= abs(float((x * y).sum())) - CLOSE))
