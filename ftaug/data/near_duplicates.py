"""Candidates for near duplicates among many samples: rows with close binary codes or equal keys, without comparing all.

Rows are sorted by their codes under several orders of the bits; close codes are neighbors in at least one of them
(Charikar, 2002). Time is O(n log n), and memory O(n), whatever the data.
"""

from __future__ import annotations

import numpy as np

TABLES = 16
"""Number of orders of the bits."""

WINDOW = 4
"""Number of neighbors on each side that a row is compared with."""

_BITS = np.array([value.bit_count() for value in range(256)], np.uint8)


def distance(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Hamming distance of 64-bit codes, uint64 (n,) each: int64 (n,)."""
    different = np.bitwise_xor(first, second)
    return np.asarray(_BITS[different.view(np.uint8).reshape(-1, 8)].sum(axis=1, dtype=np.int64))


def close_codes(queries: np.ndarray, codes: np.ndarray, most: int) -> np.ndarray:
    """Return pairs of different rows, one of whose queries differs from the code of the other in at most `most` bits.

    Codes are uint64 (n,), queries uint64 (variants, n); pairs int64 (pairs, 2), the lower row first. A pair may be
    missed, the more likely the more bits differ.
    """
    rng = np.random.default_rng(0)
    count = len(codes)
    rows, pairs = np.arange(count), np.empty(0, np.int64)  # a pair is lower row · count + higher row
    for _ in range(TABLES):
        order = rng.permutation(64)
        permuted = _permuted(codes, order)
        ranks = np.argsort(permuted, kind="stable")
        ascending = permuted[ranks]
        for variant in queries:
            query = _permuted(variant, order)
            places = np.searchsorted(ascending, query)
            close = [pairs]
            for step in range(-WINDOW, WINDOW + 1):
                nearby = np.clip(places + step, 0, count - 1)
                is_close = distance(query, ascending[nearby]) <= most
                first, second = rows[is_close], ranks[nearby[is_close]]
                close.append(np.minimum(first, second) * count + np.maximum(first, second))
            pairs = np.unique(np.concatenate(close))
    together = np.stack(np.divmod(pairs, max(count, 1)), axis=1)
    return np.asarray(together[together[:, 0] != together[:, 1]])


def equal_keys(keys: np.ndarray) -> np.ndarray:
    """Return pairs of rows with an equal key in a column, int64 (pairs, 2); keys are uint64 (n, columns).

    Of rows that share a key, each is paired with the next few.
    """
    pairs = [np.empty((0, 2), np.int64)]
    for column in keys.T:
        order = np.argsort(column, kind="stable")
        for step in range(1, WINDOW + 1):
            first, second = order[:-step], order[step:]
            is_equal = column[first] == column[second]
            pairs.append(np.stack([first[is_equal], second[is_equal]], axis=1))
    return np.unique(np.sort(np.concatenate(pairs), axis=1), axis=0)


def _permuted(codes: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Reorder the bits of codes, uint64 (n,)."""
    bits = np.unpackbits(codes.view(np.uint8).reshape(-1, 8), axis=1)[:, order]
    return np.ascontiguousarray(np.packbits(bits, axis=1)).view(">u8").ravel().astype(np.uint64)
