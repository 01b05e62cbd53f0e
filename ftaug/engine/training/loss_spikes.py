"""Find spikes of the training loss by comparison with recent steps."""

from collections.abc import Sequence
from statistics import median

WINDOW = 64
"""Number of recent steps to compare with."""

LEAST = 16
"""Number of steps that are needed for a comparison."""

ABOVE_MEDIAN, ABOVE_MAXIMUM = 5.0, 2.0
"""A spike is above the median and the maximum of the window by these factors.

Losses near zero vary by orders of magnitude from step to step, which the maximum accounts for.
"""


def spike(recent: Sequence[float], loss: float) -> float | None:
    """Return the median of the recent losses if a loss is a spike above them, otherwise None."""
    if len(recent) < LEAST or loss <= ABOVE_MAXIMUM * max(recent):
        return None
    usual = median(recent)
    return usual if 0 < ABOVE_MEDIAN * usual < loss else None


def with_loss(recent: Sequence[float], loss: float) -> list[float]:
    """Return the recent losses with that of a further step."""
    return [*recent[1 - WINDOW :], loss]
