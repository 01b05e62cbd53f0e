"""Nonlinear distortion augmentations: elastic transform and grid distortion."""

from __future__ import annotations

from functools import partial

import numpy as np

from ftaug.augment.transform import happens
from ftaug.config.types import Count, Fraction
from ftaug.image import augmentation
from ftaug.image.augmentations.transforms import Canvas, OpProbability, PixelFunction, Share, filtered


@augmentation.register(severity={"strength": (0.0, 0.08)})
def elastic(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Share = 0.02,
    smoothness: Fraction = 0.15,
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Apply an elastic transform: a smooth random field of displacements.

    Settings:
        strength: the standard deviation of a displacement along either axis, as a share of the picture's shorter side;
            the same everywhere
        smoothness: how far apart independent displacements are, as a share of the shorter side

    Simard et al. 2003, with a coarse grid of displacements for a blurred fine one.
    """
    side = min(canvas.height, canvas.width)
    rows, columns = (max(2, round(n / (smoothness * side)) + 1) for n in (canvas.height, canvas.width))
    shifts = strength * side * rng.standard_normal((rows, columns, 2))
    if not happens(rng, probability):
        return None
    return PixelFunction(partial(filtered, "bent", shifts)).with_params(largest=float(np.abs(shifts).max() / side))


@augmentation.register(severity={"strength": (0.0, 0.9)})
def grid_distortion(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Share = 0.3,
    cells: Count = 5,
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Apply a grid distortion: stretch and squeeze the columns and rows of a grid by random amounts.

    Settings:
        strength: how far a line of the grid moves at most, as a share of half a cell; uniform up to it
        cells: how many cells across and down
    """
    inner = np.r_[0, np.ones(cells - 1), 0]
    columns, rows = (
        (np.arange(cells + 1) + inner * rng.uniform(-strength, strength, cells + 1) / 2) / cells for _ in range(2)
    )
    if not happens(rng, probability):
        return None
    return PixelFunction(partial(filtered, "regridded", columns, rows)).with_params(cells=cells)
