"""Remove pixels so that what is left does not show where they were: the noisy linear imputation of ROAD.

Rong et al. 2022 (arXiv:2202.00449): a removed pixel is the weighted mean of its eight neighbors, plus noise. The linear
system is solved by relaxation from coarse to fine.
"""

from __future__ import annotations

import cv2
import numpy as np

SWEEPS = 12
"""Relaxations of each scale."""

KERNEL = np.array([[1, 2, 1], [2, 0, 2], [1, 2, 1]], np.float32) / 12


def impute(values: np.ndarray, removed: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    """Return an image (H, W, 3) with the pixels of a mask, bool (H, W), removed: float64; `noise` is its deviation."""
    if removed.all():
        removed = removed.copy()
        removed[0, 0] = False
    smooth = _solve(np.where(removed[..., None], 0, values).astype(np.float32), (~removed).astype(np.float32))
    return np.where(removed[..., None], smooth + rng.normal(0, noise, values.shape), values)


def _solve(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fill the unknown pixels; `known` is 0 or 1, and values are 0 where it is 0."""
    if known.all():
        return values
    coarse_values, coarse_known = _halved(values), _halved(known[..., None])
    share = np.maximum(coarse_known, 1e-6)[..., None]
    filled = _solve(coarse_values / share, (coarse_known > 0).astype(np.float32))
    grown = cv2.resize(filled, values.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    inside = known[..., None] > 0
    result = np.where(inside, values, grown)
    border = cv2.filter2D(np.ones_like(known), -1, KERNEL, borderType=cv2.BORDER_CONSTANT)[..., None]
    for _ in range(SWEEPS):
        mean = cv2.filter2D(result, -1, KERNEL, borderType=cv2.BORDER_CONSTANT) / border
        result = np.where(inside, values, mean)
    return result


def _halved(values: np.ndarray) -> np.ndarray:
    """Average blocks of 2×2 pixels, with zeros beyond the border."""
    even = np.pad(values, ((0, values.shape[0] % 2), (0, values.shape[1] % 2), (0, 0)))
    blocks = even.reshape(even.shape[0] // 2, 2, even.shape[1] // 2, 2, -1).mean(axis=(1, 3))
    return np.asarray(blocks if blocks.shape[2] > 1 else blocks[..., 0])
