"""The scores of one method on one stream in, its headline profile out: six figures, never one mean.

If one number is demanded, it is their geometric mean: a figure at 0 cannot be bought back by another one, and a method
that loses general ability has none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from everlearn.desiderata.contract import Score

AXES = {
    "preservation": "rho",
    "sequence": "JNS",
    "composition": "CS_cross",
    "efficiency": "JNS at budget",
    "overwriting": "OW",
    "automaticity": "AU",
}
"""Each figure of the profile and the score that it is; of all of them 1 is good and 0 is not.

Three are measured against joint training, which has 1 by their making: JNS, CS_cross, JNS at budget. The others are
not, and joint training may have less: rho is a share of the base, OW is made of shares right (for joint training, those
at its end), AU is un-cued over cued of the method itself.
"""

LEAST_RETENTION = 0.95
"""rho below which there is no single number."""


@dataclass(frozen=True)
class Profile:
    """The headline figures."""

    figures: tuple[Score, ...]
    """In the order of AXES, under the names of AXES."""
    single: Score
    """The geometric mean, each figure held within [0, 1]; undefined where any is, or where rho < LEAST_RETENTION."""


def profile(scores: Iterable[Score]) -> Profile:
    """The profile of one case, or of means over streams; a score that is missing is undefined."""
    by_name = {score.name: score for score in scores}
    figures = tuple(_renamed(axis, name, by_name.get(name)) for axis, name in AXES.items())
    return Profile(figures, _single(figures))


def _renamed(axis: str, name: str, score: Score | None) -> Score:
    if score is None:
        return Score(axis, None, note=f"{name} was not scored")
    return Score(axis, score.value, score.better, score.unit, score.note)


def _single(figures: tuple[Score, ...]) -> Score:
    name = "geometric mean"
    missing = [figure.name for figure in figures if figure.value is None]
    if missing:
        return Score(name, None, note=f"undefined: {', '.join(missing)}")
    values = [min(1.0, max(0.0, figure.value or 0.0)) for figure in figures]
    if values[0] < LEAST_RETENTION:
        return Score(name, None, note=f"rho is {values[0]:.2f}, below {LEAST_RETENTION}")
    return Score(name, math.prod(values) ** (1 / len(values)))
