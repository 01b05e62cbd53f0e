"""Exact tests of paired differences by flipping their signs (Fisher 1935): each sign is as likely as the other.

A row of differences is one pair of runs, such as those of one seed, a column one comparison. All columns of a row are
flipped together, which keeps their dependence: they share the run that they are compared with.
"""

from __future__ import annotations

import math

import numpy as np

MAX_EXACT_ROWS = 14
"""Number of rows up to which all flips are enumerated; of more, FLIPS are drawn."""

FLIPS = 1 << MAX_EXACT_ROWS
ROUNDING = 1e-12
"""Relative difference up to which means are equal."""


def p_values(differences: np.ndarray, seed: int = 0) -> np.ndarray:
    """Two-sided p of the mean of each column, (columns,), for differences (rows, columns); 1 where all are 0.

    The smallest possible value is `smallest_p` of the number of rows.
    """
    return np.asarray(_is_as_large(_means(differences, seed), differences).mean(axis=0))


def adjusted_p_values(differences: np.ndarray, seed: int = 0) -> np.ndarray:
    """p of each column adjusted for their number by the step-down maximum (Westfall and Young 1993), (columns,).

    The chance of any false rejection is at most the level, as with Holm's method. With few rows Holm multiplies the
    smallest p above any level, while this one stays: it compares a mean with the largest flipped mean of all columns.
    """
    means = _means(differences, seed)
    order = np.argsort(-np.abs(differences.mean(axis=0)), kind="stable")
    # of the column at a place and all after it, whose means are smaller
    largest = np.maximum.accumulate(np.abs(means)[:, order[::-1]], axis=1)[:, ::-1]
    by_place = _is_as_large(largest, differences[:, order]).mean(axis=0)
    adjusted = np.empty(len(order))
    adjusted[order] = np.maximum.accumulate(by_place)
    return adjusted


def interval(differences: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Confidence interval of the mean of differences (rows,): the means that the test does not reject at 1 − level.

    It excludes 0 where the unadjusted p is at most 1 − level; nan if there are too few rows to reject any mean.
    """
    if smallest_p(len(differences)) > 1 - level or np.isnan(differences).any():
        return math.nan, math.nan
    flipped = _means(np.stack([differences, np.ones(len(differences))], axis=1), seed=0)
    return _end(differences, flipped, level, -1), _end(differences, flipped, level, 1)


def smallest_p(rows: int) -> float:
    """Return the smallest possible p of so many rows: of all flips two show differences as one-sided."""
    return min(1.0, 2.0 ** (1 - rows))


def rows_needed(level: float = 0.05) -> int:
    """Return the smallest number of rows that can reach a level."""
    return math.ceil(1 - math.log2(level))


def _end(differences: np.ndarray, flipped: np.ndarray, level: float, side: int) -> float:
    """Find an end of the interval by bisection: from the mean, which is never rejected, to beyond all differences.

    `flipped` are the means of the differences and of ones under each flip, (flips, 2): the flipped mean of differences
    less a number is the first less that number times the second.
    """
    scale = ROUNDING * np.abs(differences).max()
    inside = mean = float(differences.mean())
    outside = inside + side * (2 * float(np.ptp(differences)) + ROUNDING)
    for _ in range(40):
        middle = (inside + outside) / 2
        if (np.abs(flipped[:, 0] - middle * flipped[:, 1]) >= abs(mean - middle) - scale).mean() > 1 - level:
            inside = middle
        else:
            outside = middle
    return inside


def _means(differences: np.ndarray, seed: int) -> np.ndarray:
    """Return the mean of each column under each flip of rows, (flips, columns); the first flip changes nothing."""
    rows = len(differences)
    if rows <= MAX_EXACT_ROWS:
        signs = 1 - 2 * (np.arange(1 << rows)[:, None] >> np.arange(rows) & 1)
    else:
        signs = 1 - 2 * np.random.default_rng(seed).integers(0, 2, (FLIPS, rows))
        signs[0] = 1
    return np.asarray(signs @ differences / rows)


def _is_as_large(means: np.ndarray, differences: np.ndarray) -> np.ndarray:
    """Return whether flipped means are as far from 0 as the means of the differences, up to rounding."""
    observed, scale = np.abs(differences.mean(axis=0)), np.abs(differences).max(axis=0)
    return np.asarray(np.abs(means) >= observed - ROUNDING * scale)
