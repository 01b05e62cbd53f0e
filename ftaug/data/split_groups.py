"""Group ids for group-aware splits: explicit groups, and duplicates of the same sample."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np


def equal(keys: Iterable[Hashable]) -> np.ndarray | None:
    """Return for each key the index of its first occurrence: int64 (n,); None if all keys are distinct."""
    first: dict[Hashable, int] = {}
    positions = np.fromiter((first.setdefault(key, position) for position, key in enumerate(keys)), np.int64)
    return positions if len(first) < len(positions) else None


def joined(*labelings: np.ndarray | None) -> np.ndarray | None:
    """Merge groupings: connected components of samples that share a group in any of the labelings.

    Each labeling is int64 (n,), or None if every sample is its own group; so is the result. Groups are numbered from 0
    in the order of their first samples.
    """
    labels_list = [np.unique(labels, return_inverse=True)[1] for labels in labelings if labels is not None]
    if not labels_list:
        return None
    group = np.arange(len(labels_list[0]))
    before = None  # propagate the lowest index within each group until nothing changes
    while before is None or (group != before).any():
        before = group
        for labels in labels_list:
            lowest = np.full(int(labels.max(initial=-1)) + 1, len(group))
            np.minimum.at(lowest, labels, group)
            group = lowest[labels]
    return np.unique(group, return_inverse=True)[1].astype(np.int64)
