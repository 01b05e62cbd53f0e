"""Fewer samples of a dataset, chosen the same in every run."""

from __future__ import annotations

import numpy as np

from ftaug.errors import BadData


def few_per_class(source: str, targets: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """That many rows of each class, ascending; a smaller number chooses a subset of a larger one's. Raises BadData."""
    rng = np.random.Generator(np.random.Philox(seed))
    of_class = [rng.permutation(np.flatnonzero(targets == label)) for label in np.unique(targets)]
    fewest = min(len(rows) for rows in of_class)
    if per_class > fewest:
        raise BadData(f"{source}: per_class must be at most {fewest}, the training samples of the rarest class")
    return np.sort(np.concatenate([rows[:per_class] for rows in of_class]))
