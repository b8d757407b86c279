"""Values in, the ticks of an axis and places on it out; linear, or logarithmic for sizes and costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from everlearn.report import words
from everlearn.report.chart import Tick

Label = Callable[[float], str]


@dataclass(frozen=True)
class Axis:
    """Where values lie between two edges of a drawing."""

    low: float
    high: float
    start: float
    """The place of `low`, in the drawing's units; may lie beyond `end`, as it does on an upright axis."""
    end: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """The place of a value, held within the edges."""
        low, high, at = (
            math.log10(v) if self.logarithmic else v for v in (self.low, self.high, max(value, self.least))
        )
        share = min(1.0, max(0.0, (at - low) / (high - low)))
        return round(self.start + share * (self.end - self.start), 1)

    @property
    def least(self) -> float:
        """The least value that has a place."""
        return self.low if self.logarithmic else -math.inf

    def ticks(self, label: Label, most: int = 5) -> tuple[Tick, ...]:
        """At most so many ticks (one more at times) at round values, with their labels."""
        values = _decades(self.low, self.high, most) if self.logarithmic else _steps(self.low, self.high, most)
        return tuple(Tick(self.place(value), label(value)) for value in values)


def linear(values: Sequence[float], start: float, end: float, within: tuple[float, float] | None = None) -> Axis:
    """An axis that holds all values with a little room; `within` names edges that are kept where values allow."""
    low, high = min(values), max(values)
    if within:
        low, high = min(low, within[0]), max(high, within[1])
    else:
        room = 0.08 * (high - low) or 0.05
        low, high = low - room, high + room
    return Axis(low, high, start, end)


def logarithmic(values: Sequence[float], start: float, end: float) -> Axis:
    """A logarithmic axis over positive values, with a little room."""
    low, high = math.log10(min(values)), math.log10(max(values))
    room = max(0.08 * (high - low), 0.15)
    return Axis(10 ** (low - room), 10 ** (high + room), start, end, logarithmic=True)


def share(value: float) -> str:
    """`0.75`, `−0.5`, `1`."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "−")


def amount(value: float) -> str:
    """`20`, `3,000`, `2 × 10¹⁴`."""
    if value >= 1e6:
        mantissa, exponent = f"{value:.0e}".split("e")
        power = f"10{str(int(exponent)).translate(words.POWERS)}"
        return power if mantissa == "1" else f"{mantissa}×{power}"
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _steps(low: float, high: float, most: int) -> list[float]:
    raw = (high - low) / most
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw - 1e-12)
    first = math.ceil(low / step - 1e-9)
    return [round(step * number, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _decades(low: float, high: float, most: int) -> list[float]:
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [
            factor * 10.0**power
            for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            for factor in factors
            if low <= factor * 10.0**power <= high
        ]
        if len(found) <= most:
            return found if len(found) > 1 else _steps(low, high, 3)
    return found[:: math.ceil(len(found) / most)]
