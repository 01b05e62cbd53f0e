"""Axes of charts: round ticks, their labels, and the positions of values."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Axis:
    """Maps values between `low` and `high` to positions between `start` and `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def position(self, value: float) -> float:
        """Return the position of a value, those outside moved to the nearer end."""
        low, high, at = (math.log10(v) if self.log else v for v in (self.low, self.high, max(value, self.low)))
        return self.start + (min(at, high) - low) / (high - low) * (self.end - self.start)

    def ticks(self, count: int = 5) -> list[float]:
        """Return about so many round values in the range; powers of ten of a logarithmic axis that spans several."""
        if self.log:
            exponents = range(math.ceil(math.log10(self.low)), math.floor(math.log10(self.high)) + 1)
            if len(exponents) > 1:
                return [10.0**e for e in exponents][:: max(1, len(exponents) // count)]
        size = (self.high - self.low) / count
        power = 10.0 ** math.floor(math.log10(size))
        step = next(power * factor for factor in STEPS if power * factor >= size * (1 - 1e-9))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(step * number, 12) for number in range(first, last + 1)]


def axis_of(
    values: Iterable[float], ends: tuple[float | None, float | None], start: float, end: float, *, log: bool = False
) -> Axis:
    """Build an axis that holds the finite values, those of a logarithmic one positive, or has the ends given."""
    finite = [v for v in values if math.isfinite(v) and (v > 0 or not log)]
    low = min(finite, default=1.0) if ends[0] is None else ends[0]
    high = max(finite, default=1.0) if ends[1] is None else ends[1]
    if not low < high:
        low, high = (low / 2, high * 2) if log else (low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2)
    return Axis(low, high, start, end, log)


def labels(ticks: Sequence[float]) -> list[str]:
    """Format ticks with the fewest digits that hold their values."""
    for digits in range(1, 9):
        names = [f"{tick:.{digits}g}" for tick in ticks]
        if all(abs(float(name) - tick) <= 1e-6 * abs(tick) for name, tick in zip(names, ticks, strict=True)):
            break
    return [_plain(name) for name in names]


def _plain(name: str) -> str:
    """Write numbers of common size without an exponent: `1e+03` as `1,000`."""
    value = float(name)
    if "e" in name and 1e-4 <= abs(value) < 1e7:
        return f"{value:,.10g}"
    return name.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")
