"""Slices of the data, by the values of columns, on which a model is worse than on the rest."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ftaug.statistics.comparison import holm
from ftaug.statistics.distributions import student_cdf

FEWEST = 30
"""Number of samples below which a slice is not looked at."""
FEWEST_GROUPS = 10
"""Number of groups, where samples have groups, below which a slice is not looked at."""
BINS = 5
DISTINCT = 20
"""Number of distinct numbers up to which each is a value of its own."""
MISSING = "missing"


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
    rows: np.ndarray = field(default_factory=lambda: np.zeros(0, bool), compare=False, repr=False)  # bool (n,)


def worst_slices(
    columns: Mapping[str, np.ndarray], losses: np.ndarray, groups: np.ndarray | None = None
) -> list[Slice]:
    """Compare every slice of 30 or more samples with all other samples, the worst first, from a loss per sample (n,).

    Of many slices the worst looks worse than it is. Differences are shrunk by τ² / (τ² + standard error²), where τ² is
    the variance of the true differences (empirical Bayes; method of moments). With `groups`, the group of each sample
    (n,), standard errors are those of dependent samples, and a slice has 10 or more groups.
    """
    slices, errors = [], []
    for column, values in columns.items():
        for name, rows in _values(values):
            if all(_is_large_enough(side, groups) for side in (rows, ~rows)):
                slice_, error = _against_rest(column, name, rows, losses, groups)
                slices.append(slice_)
                errors.append(error)
    if not slices:
        return []
    variances = np.array(errors) ** 2
    spread = max(float(np.mean([s.difference**2 for s in slices] - variances)), 0.0)
    factors = np.divide(spread, spread + variances, out=np.zeros(len(slices)), where=spread + variances > 0)
    adjusted = holm([s.p for s in slices])
    ranked = [
        replace(s, shrunken=s.difference * float(factor) + 0.0, adjusted_p=p)  # no -0.0
        for s, factor, p in zip(slices, factors, adjusted, strict=True)
    ]
    return sorted(ranked, key=lambda s: (-s.shrunken, s.p))


def as_column(values: Sequence[str | float] | np.ndarray) -> np.ndarray:
    """Return the cells of a column as float64 (n,), nan where empty, if all are numbers; else as str (n,)."""
    texts = np.array([MISSING if value == "" else str(value) for value in values], object)
    try:
        numbers = np.array([math.nan if text == MISSING else float(text) for text in texts])
    except ValueError:
        return texts.astype(str)
    return texts.astype(str) if np.isinf(numbers).any() or np.isnan(numbers).all() else numbers


def column_note(values: np.ndarray) -> str:
    """Say how a column is divided where this is not by each of its values; else nothing."""
    distinct, counts = np.unique(values, return_counts=True)
    if np.issubdtype(values.dtype, np.number):
        known = int((~np.isnan(distinct)).sum())
        return f"{known:,} different numbers, in {BINS} ranges of equally many samples" if known > DISTINCT else ""
    small = int((counts < FEWEST).sum())
    if small == len(distinct):
        return f"left out, since none of its {len(distinct):,} values has {FEWEST} samples"
    return (
        f"{small:,} of its {len(distinct):,} values have fewer than {FEWEST} samples and are left out" if small else ""
    )


def binned(values: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Name the range that each number falls into, such as `0.2 to 0.4`, in ranges of equally many samples.

    Up to 20 distinct numbers are kept as they are. What is not a number has the name `missing`.
    """
    values = np.asarray(values, np.float64)
    known = values[~np.isnan(values)]
    distinct = np.unique(known)
    names = np.full(len(values), MISSING, dtype=object)
    if len(distinct) <= DISTINCT:
        names[~np.isnan(values)] = [f"{value:g}" for value in known]
        return names
    edges = np.unique(np.quantile(known, np.linspace(0, 1, bins + 1)))
    places = np.clip(np.searchsorted(edges, known, side="right") - 1, 0, len(edges) - 2)
    ends = _distinct_names(edges)
    names[~np.isnan(values)] = [f"{ends[place]} to {ends[place + 1]}" for place in places]
    return names


def _distinct_names(numbers: np.ndarray) -> list[str]:
    """Format different numbers with three digits, or as many as tell them apart."""
    for digits in range(3, 18):
        names = [f"{n:.0f}" if abs(n) >= 10**digits else f"{n:.{digits}g}" for n in numbers]
        if len(set(names)) == len(numbers):
            break
    return names


def _values(values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the values, or ranges, of a column that 30 or more samples have, with a mask of these samples."""
    names = binned(values) if np.issubdtype(values.dtype, np.number) else values.astype(str)
    distinct, places, counts = np.unique(names.astype(str), return_inverse=True, return_counts=True)
    for index in np.flatnonzero(counts >= FEWEST):
        yield str(distinct[index]), places == index


def _is_large_enough(rows: np.ndarray, groups: np.ndarray | None) -> bool:
    return bool(rows.sum() >= FEWEST) and (groups is None or len(np.unique(groups[rows])) >= FEWEST_GROUPS)


def _against_rest(
    column: str, name: str, rows: np.ndarray, losses: np.ndarray, groups: np.ndarray | None
) -> tuple[Slice, float]:
    """Test a slice against the rest; return it with the standard error of the difference."""
    inside, rest = losses[rows].astype(np.float64), losses[~rows].astype(np.float64)
    difference = float(inside.mean() - rest.mean())
    error, degrees = _welch(inside, rest, losses) if groups is None else _clustered(rows, losses, groups)
    p = 2 * student_cdf(-abs(difference) / error, degrees) if error > 0 else 1.0
    return Slice(column, name, len(inside), float(inside.mean()), difference, difference, p, rows=rows), error


def _welch(inside: np.ndarray, rest: np.ndarray, losses: np.ndarray) -> tuple[float, float]:
    """Standard error and degrees of freedom of a difference of means of independent samples (Welch 1947)."""
    pooled = float(losses.var(ddof=1))  # for a side without variance, such as a slice that is all wrong
    variances = [(float(side.var(ddof=1)) or pooled) / len(side) for side in (inside, rest)]
    total = sum(variances)
    if not total > 0:
        return 0.0, math.nan
    sizes = len(inside), len(rest)
    degrees = total**2 / sum(variance**2 / (size - 1) for variance, size in zip(variances, sizes, strict=True))
    return math.sqrt(total), degrees


def _clustered(rows: np.ndarray, losses: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Standard error and degrees of freedom of a difference of means where samples of a group are dependent.

    The variance is that of the sums of influences per group (Liang and Zeger 1986), and the degrees of freedom those
    of the side with fewer groups. It is never below that of independent samples, which few groups may show by chance.
    """
    _, group_of = np.unique(groups, return_inverse=True)
    influence = np.where(rows, losses - losses[rows].mean(), losses[~rows].mean() - losses)
    influence = influence / np.where(rows, rows.sum(), (~rows).sum())
    count = int(group_of.max()) + 1
    variance = count / (count - 1) * float((np.bincount(group_of, weights=influence) ** 2).sum())
    independent, _ = _welch(losses[rows], losses[~rows], losses)
    fewest = min(len(np.unique(group_of[side])) for side in (rows, ~rows))
    return max(math.sqrt(variance), independent), fewest - 1
