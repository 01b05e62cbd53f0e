"""Format estimates, counts and shares for the sections of a report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

SPLITS = {"train": "training", "val": "validation", "test": "test"}
DASH = "–"


def number(value: float | None, decimals: int = 3) -> str:
    """Format a number; a dash for an undefined one, and significant digits where decimals would hide it."""
    if value is None or not math.isfinite(value):
        return DASH
    return f"{value:.{decimals}f}" if abs(value) < 1000 else f"{value:,.4g}"


def estimate(result: Mapping[str, Any], decimals: int = 3) -> str:
    """Format a value with its interval, if it has one: `0.943 [0.921–0.959]`."""
    value = number(result["value"], decimals)
    low, high = result.get("low"), result.get("high")
    if low is None or high is None:
        return value
    dash = DASH if low >= 0 else " to "
    return f"{value} [{number(low, decimals)}{dash}{number(high, decimals)}]"


def samples(count: int, split: str = "") -> str:
    """Format a number of samples, with the name of their split: `359 test samples`."""
    kind = f"{SPLITS.get(split, split)} " if split else ""
    return f"{count:,} {kind}sample{'s' * (count != 1)}"
