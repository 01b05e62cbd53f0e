"""How much of the variation of a result a factor explains."""

from __future__ import annotations

import numpy as np


def epsilon_squared(groups: np.ndarray, values: np.ndarray) -> float:
    """Estimate the share of the variance of values (n,) that lies between groups (n,): Kelley's ε² (1935).

    Unlike the plain share it does not grow with the number of groups by chance: 0 on average if the groups do not
    matter. 0 also if there is too little data or no variance.
    """
    if len(values) < 3:
        return 0.0
    _, codes = np.unique(groups, return_inverse=True)
    sizes = np.bincount(codes)
    total = float(((values - values.mean()) ** 2).sum())
    degrees = len(values) - len(sizes)
    if degrees < 1 or len(sizes) < 2 or not total > 0:
        return 0.0
    means = np.bincount(codes, weights=values) / sizes
    within = float(((values - means[codes]) ** 2).sum())
    between = total - within
    return max(0.0, (between - (len(sizes) - 1) * within / degrees) / total)


def quantile_groups(values: np.ndarray, most: int = 4, least: int = 5) -> np.ndarray:
    """Group numbers (n,) by quantiles into at most so many groups with at least so many values each."""
    count = max(2, min(most, len(values) // least))
    edges = np.quantile(values, np.arange(1, count) / count)
    return np.asarray(np.searchsorted(edges, values, side="right"))
