"""Reproducible stratified subsampling of a dataset."""

from __future__ import annotations

import numpy as np

from ftaug.errors import BadData


def few_per_class(source: str, targets: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """Sample `per_class` rows of each class, ascending; smaller samples are subsets of larger ones. Raises BadData."""
    rng = np.random.Generator(np.random.Philox(seed))
    by_class = [rng.permutation(np.flatnonzero(targets == label)) for label in np.unique(targets)]
    fewest = min(len(rows) for rows in by_class)
    if per_class > fewest:
        raise BadData(f"{source}: per_class must be at most {fewest}, the training samples of the rarest class")
    return np.sort(np.concatenate([rows[:per_class] for rows in by_class]))
