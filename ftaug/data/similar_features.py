"""Pairs of samples with nearly equal features, by exact search in blocks: O(n) memory and O(n²) time."""

from __future__ import annotations

import numpy as np

BLOCK = 2048
"""Number of rows that are compared with as many others at once."""

MOST_PAIRS = 4
"""Number of pairs to return, for each row; those with the highest similarity, if there are more."""


def standardized(features: np.ndarray) -> np.ndarray:
    """Scale each feature to mean 0 and variance 1, and then each row to length 1: float32 (n, values).

    Without it, all pairs of images of one kind, such as textiles, have a cosine near 1. Rows that equal the mean are 0.
    """
    centered = features - features.mean(axis=0)
    deviations = centered.std(axis=0)
    scaled = np.divide(centered, deviations, out=np.zeros_like(centered), where=deviations > 1e-6)
    lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
    return np.asarray(np.divide(scaled, lengths, out=np.zeros_like(scaled), where=lengths > 1e-6), np.float32)


def similar_pairs(
    features: np.ndarray, least: float, split_index: np.ndarray, *, across_only: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs of rows with a cosine of standardized features of `least` or more, the most similar first.

    Features are float32 (n, values), split_index int (n,) and ascending. Pairs are int64 (m, 2), the lower row first;
    similarities float32 (m,). With `across_only` rows of one split are not compared.
    """
    rows = standardized(features)
    pairs, similarities = np.empty((0, 2), np.int64), np.empty(0, np.float32)
    for first in range(0, len(rows), BLOCK):
        for second in range(first, len(rows), BLOCK):
            sides = split_index[first : first + BLOCK, None], split_index[None, second : second + BLOCK]
            if across_only and sides[0][0, 0] == sides[1][0, -1]:
                continue
            cosines = rows[first : first + BLOCK] @ rows[second : second + BLOCK].T
            is_similar = cosines >= least
            if first == second:
                is_similar = np.triu(is_similar, 1)
            if across_only:
                is_similar &= sides[0] != sides[1]
            close = np.argwhere(is_similar)
            pairs = np.concatenate([pairs, close + np.array([first, second])])
            similarities = np.concatenate([similarities, cosines[is_similar]])
            order = np.argsort(-similarities, kind="stable")[: MOST_PAIRS * len(rows)]
            pairs, similarities = pairs[order], similarities[order]
    return pairs, similarities
