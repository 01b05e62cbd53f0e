"""Which samples a split keeps on one side, and the identities by which it chooses among them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from hashlib import blake2b

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


def identities(keys: Iterable[str], groups: np.ndarray | None) -> np.ndarray:
    """A 64-bit hash of each sample's key, or of the smallest key in its group: uint64 (n,).

    Where samples that belong to no group have the same key, the first, second … of them differ.
    """
    if groups is None:
        words = np.array([_word(key) for key in keys], np.uint64)
        order = np.argsort(words, kind="stable")
        ascending = words[order]
        words[order] += (np.arange(len(words)) - np.searchsorted(ascending, ascending)).astype(np.uint64)
        return words
    smallest: dict[int, str] = {}
    for group, key in zip(groups.tolist(), keys, strict=True):
        smallest[group] = min(key, smallest.get(group, key))
    word_of = {group: _word(key) for group, key in smallest.items()}
    return np.array([word_of[group] for group in groups.tolist()], np.uint64)


def _word(key: str) -> int:
    return int.from_bytes(blake2b(key.encode(errors="surrogateescape"), digest_size=8).digest(), "little")
