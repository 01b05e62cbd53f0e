"""Near duplicates among texts: those that share most of their character shingles, found by MinHash (Broder, 1997)."""

from __future__ import annotations

import numpy as np

from ftaug.data.near_duplicates import equal_keys
from ftaug.interfaces.data_health import Rows
from ftaug.text.types import Text

SHINGLE = 8
"""Number of characters of a shingle."""

HASHES = 64
BAND = 4
"""Number of MinHash values that candidates have in common in some place."""

ALIKE = 0.7
"""Jaccard similarity of the shingles from which texts are near duplicates."""

ESTIMATED_ALIKE = 0.55
"""Share of equal MinHash values from which two texts are compared; the estimate has a standard deviation of 0.06."""

_RNG = np.random.default_rng(0)
_POWERS = _RNG.integers(1, 2**63, SHINGLE, np.uint64) | np.uint64(1)
_FACTORS = _RNG.integers(1, 2**63, (HASHES, 1), np.uint64) | np.uint64(1)
_OFFSETS = _RNG.integers(0, 2**63, (HASHES, 1), np.uint64)
_BLOCK = 4096  # shingles that are hashed, or texts that are compared, together


def shingles(text: Text) -> np.ndarray:
    """Return hashes of the distinct shingles of a text, in lower case and with single spaces: uint64, ascending."""
    words = "\n".join(" ".join(part.casefold().split()) for part in text if part is not None)
    codes = np.frombuffer(words.ljust(SHINGLE).encode("utf-32-le"), np.uint32).astype(np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(codes, SHINGLE)
    hashed = (windows * _POWERS).sum(axis=1, dtype=np.uint64)
    return np.unique(hashed ^ (hashed >> np.uint64(29)))


def min_hashes(text: Text) -> np.ndarray:
    """Return the MinHash values of a text: uint32 (64,)."""
    hashed = shingles(text)
    lowest = np.full(HASHES, 2**32 - 1, np.uint32)
    for start in range(0, len(hashed), _BLOCK):
        mixed = (hashed[start : start + _BLOCK] * _FACTORS + _OFFSETS) >> np.uint64(32)
        lowest = np.minimum(lowest, mixed.min(axis=1).astype(np.uint32))
    return lowest


def candidates(values: Rows) -> np.ndarray:
    """Return pairs of texts that probably share most shingles, by their MinHash values: rows of 64 uint32."""
    keys = np.empty((len(values), HASHES // BAND), np.uint64)
    for start in range(0, len(values), _BLOCK):
        bands = values[start : start + _BLOCK].view(np.uint32).reshape(-1, HASHES // BAND, BAND)
        keys[start : start + _BLOCK] = (bands * _POWERS[:BAND]).sum(axis=2, dtype=np.uint64)
    pairs = equal_keys(keys)
    is_alike = np.empty(len(pairs), bool)
    for start in range(0, len(pairs), _BLOCK):
        first, second = (values[rows].view(np.uint32) for rows in pairs[start : start + _BLOCK].T)
        is_alike[start : start + _BLOCK] = (first == second).mean(axis=1) >= ESTIMATED_ALIKE
    return np.asarray(pairs[is_alike])


def similarity(first: Text, second: Text) -> float:
    """Return the Jaccard similarity of the shingles of two texts."""
    sets = shingles(first), shingles(second)
    common = len(np.intersect1d(*sets, assume_unique=True))
    return common / (len(sets[0]) + len(sets[1]) - common)
