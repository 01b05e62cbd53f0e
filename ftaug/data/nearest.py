"""Nearest vectors by exact search in blocks, up to millions of vectors that need not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

BLOCK_VALUES = 1 << 22
"""Number of values of a block of vectors, and of its similarities, that are in memory at once."""


class Scaling(NamedTuple):
    """Mean and standard deviation of each feature, with which a cosine does not depend on what all vectors share."""

    mean: np.ndarray  # float64 (values,)
    deviation: np.ndarray  # float64 (values,); 1 where a feature is constant

    @classmethod
    def of(cls, vectors: np.ndarray) -> Scaling:
        """Compute both of vectors (n, values), block by block."""
        means = sum(block.sum(axis=0, dtype=np.float64) for _, block in _blocks(vectors)) / len(vectors)
        squares = sum(((block - means) ** 2).sum(axis=0, dtype=np.float64) for _, block in _blocks(vectors))
        deviations = np.sqrt(squares / len(vectors))
        return cls(np.asarray(means), np.where(deviations > 1e-6, deviations, 1))

    def apply(self, vectors: np.ndarray) -> np.ndarray:
        """Scale vectors to these features and to length 1: float32 (n, values); the mean itself becomes 0."""
        scaled = ((vectors - self.mean) / self.deviation).astype(np.float32)
        lengths = np.linalg.norm(scaled, axis=1, keepdims=True)
        return np.asarray(np.divide(scaled, lengths, out=np.zeros_like(scaled), where=lengths > 1e-6))


class Nearest(NamedTuple):
    """The nearest vectors of each query, the most similar first; of equally similar ones the lower row first."""

    rows: np.ndarray  # int64 (queries, count)
    similarities: np.ndarray  # float32 (queries, count): cosine of the scaled vectors


def nearest(queries: np.ndarray, vectors: np.ndarray, count: int, excluded: np.ndarray | None = None) -> Nearest:
    """Find the `count` nearest vectors of each query; queries are (m, values), vectors (n, values), n ≥ count.

    `excluded` is for each query a row that is not counted, such as the query itself, or -1: int (m,). With it n must
    be greater than `count`.
    """
    scaling = Scaling.of(vectors)
    scaled_queries = scaling.apply(queries)
    rows = np.full((len(queries), count), -1, np.int64)
    similarities = np.full((len(queries), count), -np.inf, np.float32)
    for start, block in _blocks(vectors, len(queries)):
        cosines = scaled_queries @ scaling.apply(block).T
        if excluded is not None:
            inside = np.flatnonzero((excluded >= start) & (excluded < start + len(block)))
            cosines[inside, excluded[inside] - start] = -np.inf
        for query in np.flatnonzero(cosines.max(axis=1) > similarities[:, -1]).tolist():
            better = np.flatnonzero(cosines[query] > similarities[query, -1])
            values = np.concatenate([similarities[query], cosines[query, better]])
            order = np.argsort(-values, kind="stable")[:count]
            rows[query] = np.concatenate([rows[query], start + better])[order]
            similarities[query] = values[order]
    return Nearest(rows, similarities)


def _blocks(vectors: np.ndarray, queries: int = 0) -> Iterator[tuple[int, np.ndarray]]:
    """Yield blocks of vectors with the row of the first."""
    size = max(1, BLOCK_VALUES // max(vectors.shape[1], queries))
    for start in range(0, len(vectors), size):
        yield start, np.asarray(vectors[start : start + size])
