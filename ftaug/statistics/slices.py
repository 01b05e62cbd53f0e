"""Slices of the data, by the values of columns, on which a model is worse than on the rest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ftaug.statistics.comparison import holm
from ftaug.statistics.distributions import student_cdf

FEWEST = 30
"""Number of samples below which a slice is not looked at."""
BINS = 5
DISTINCT = 20
"""Number of distinct numbers up to which each is a value of its own."""


@dataclass(frozen=True)
class Slice:
    """The samples with one value, or a range of values, of a column."""

    column: str
    value: str
    samples: int
    mean: float  # of the loss or error of its samples
    difference: float  # from the mean of all other samples
    shrunken: float  # the difference shrunk toward 0, by how uncertain it is: what slices are ranked by
    p: float  # of no difference
    adjusted_p: float = math.nan  # by Holm's method over all slices


def worst_slices(columns: Mapping[str, np.ndarray], losses: np.ndarray) -> list[Slice]:
    """Compare every slice of 30 or more samples with all other samples, the worst first, from a loss per sample (n,).

    Of many slices the worst looks worse than it is. Differences are shrunk by τ² / (τ² + standard error²), where τ² is
    the variance of the true differences (empirical Bayes; method of moments).
    """
    slices, errors = [], []
    for column, values in columns.items():
        for name, rows in _groups(values):
            if rows.sum() >= FEWEST and len(losses) - rows.sum() >= FEWEST:
                slice_, error = _against_rest(column, name, rows, losses)
                slices.append(slice_)
                errors.append(error)
    if not slices:
        return []
    variances = np.array(errors) ** 2
    spread = max(float(np.mean([s.difference**2 for s in slices] - variances)), 0.0)
    factors = np.divide(spread, spread + variances, out=np.zeros(len(slices)), where=spread + variances > 0)
    adjusted = holm([s.p for s in slices])
    ranked = [
        replace(s, shrunken=s.difference * float(factor), adjusted_p=p)
        for s, factor, p in zip(slices, factors, adjusted, strict=True)
    ]
    return sorted(ranked, key=lambda s: (-s.shrunken, s.p))


def binned(values: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Name the range that each number falls into, such as `0.2 to 0.4`, in ranges of equally many samples.

    Up to 20 distinct numbers are kept as they are. What is not a number has the name `missing`.
    """
    values = np.asarray(values, np.float64)
    known = values[~np.isnan(values)]
    distinct = np.unique(known)
    names = np.full(len(values), "missing", dtype=object)
    if len(distinct) <= DISTINCT:
        names[~np.isnan(values)] = [f"{value:g}" for value in known]
        return names
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)))
    places = np.clip(np.searchsorted(edges, known, side="right") - 1, 0, len(edges) - 2)
    names[~np.isnan(values)] = [f"{edges[place]:.4g} to {edges[place + 1]:.4g}" for place in places]
    return names


def _groups(values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    names = binned(values) if np.issubdtype(values.dtype, np.number) else values.astype(str)
    distinct, places, counts = np.unique(names.astype(str), return_inverse=True, return_counts=True)
    for index in np.flatnonzero(counts >= FEWEST):
        yield str(distinct[index]), places == index


def _against_rest(column: str, name: str, rows: np.ndarray, losses: np.ndarray) -> tuple[Slice, float]:
    """Compare a slice with the rest by Welch's test; return it with the standard error of the difference."""
    inside, rest = losses[rows].astype(np.float64), losses[~rows].astype(np.float64)
    pooled = float(losses.var(ddof=1))  # for a side without variance, such as a slice that is all wrong
    parts = [(float(side.var(ddof=1)) or pooled) / len(side) for side in (inside, rest)]
    difference, error = float(inside.mean() - rest.mean()), math.sqrt(sum(parts))
    p = 1.0
    if error > 0:
        degrees = error**4 / sum(part**2 / (len(side) - 1) for part, side in zip(parts, (inside, rest), strict=True))
        p = 2 * student_cdf(-abs(difference) / error, degrees)
    return Slice(column, name, len(inside), float(inside.mean()), difference, difference, p), error
