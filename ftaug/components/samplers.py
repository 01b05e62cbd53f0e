"""Class samplers: map training samples per class (classes,) to the share of each class in an epoch (classes,).

An epoch keeps its length: rare classes are seen more often than once, common ones in parts, all of them in turn.
"""

from __future__ import annotations

import numpy as np

from ftaug.config.kinds import sampler


@sampler.register
def balanced(counts: np.ndarray) -> np.ndarray:
    """Draw all classes equally often."""
    return (counts > 0).astype(np.float64)


@sampler.register
def square_root(counts: np.ndarray) -> np.ndarray:
    """Draw classes in proportion to the square root of their number of samples (Mahajan et al. 2018)."""
    return np.asarray(np.sqrt(counts))
