"""Which samples a split keeps on one side: those of a group, and rows or files that hold the same sample."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np


def equal(keys: Iterable[Hashable]) -> np.ndarray | None:
    """For each key the position of the first one that equals it: int64 (n,); None where all differ."""
    first: dict[Hashable, int] = {}
    positions = np.fromiter((first.setdefault(key, position) for position, key in enumerate(keys)), np.int64)
    return positions if len(first) < len(positions) else None


def joined(*labelings: np.ndarray | None) -> np.ndarray | None:
    """The groups of samples that any of the labelings holds together, directly or through others.

    Each is int64 (n,), or None where every sample stands alone; so is the result. Groups are numbered from 0 in the
    order of their first samples.
    """
    given = [np.unique(labels, return_inverse=True)[1] for labels in labelings if labels is not None]
    if not given:
        return None
    group = np.arange(len(given[0]))
    before = None
    while before is None or (group != before).any():
        before = group
        for labels in given:
            lowest = np.full(int(labels.max(initial=-1)) + 1, len(group))
            np.minimum.at(lowest, labels, group)
            group = lowest[labels]
    return np.unique(group, return_inverse=True)[1].astype(np.int64)
