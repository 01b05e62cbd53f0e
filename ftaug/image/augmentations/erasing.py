"""Erasing augmentations: random erasing, coarse dropout (Cutout), grid mask."""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated, Literal

import numpy as np

from ftaug.augment.transform import happens
from ftaug.config.types import Count, Doc, Fraction
from ftaug.image import augmentation
from ftaug.image.augmentations.transforms import (
    Canvas,
    OpProbability,
    PixelFunction,
    Range,
    Share,
    ShareRange,
    box_of_shape,
    filtered,
)

Fill = Annotated[
    Literal["mean", "black", "noise"],
    Doc("the picture's mean color, black, or noise that is uniform in every channel"),
]
FEWEST = 8
"""Fewest squares that cover the largest share: with fewer, the mean share would be over 1 % below half of it."""


@augmentation.register(severity={"area": ((0.0005, 0.0005), (0.3, 0.6))}, standard=True)
def random_erasing(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    area: ShareRange = (0.02, 0.33),
    ratio: Range = (0.3, 3.3),
    count: Count = 1,
    fill: Fill = "mean",
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Erase rectangles of random area, shape and place.

    Settings:
        area: the smallest and the largest area of the rectangles together, as shares of the picture's; where they
            overlap, less is erased
        ratio: the smallest and the largest width/height of a rectangle; log-uniform between them
        count: how many rectangles share the area, evenly

    Zhong et al. 2017. Sides are rounded to whole pixels.
    """
    share = area[0] / count, area[1] / count
    boxes = [box for _ in range(count) if (box := box_of_shape(rng, canvas, share, ratio))]
    seed = int(rng.integers(2**63))
    if not happens(rng, probability) or not boxes:
        return None
    mask = np.zeros((canvas.height, canvas.width), bool)
    for top, left, height, width in boxes:
        mask[top : top + height, left : left + width] = True
    return PixelFunction(partial(filtered, "masked", mask, fill, seed)).with_params(area=float(mask.mean()))


@augmentation.register(severity={"share": (0.0, 0.6)})
def coarse_dropout(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    share: Share = 0.3,
    size: Fraction = 0.08,
    fill: Fill = "mean",
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Hide many small squares at random places of a grid.

    Settings:
        share: the largest share of the picture that is hidden; uniform up to it, one pixel at least
        size: the side of a square, as a share of the picture's shorter side; less where it takes fewer than eight to
            hide the share

    DeVries and Taylor 2017 hide one square; this hides many.
    """
    area = canvas.height * canvas.width
    wanted = rng.uniform(0, share) * area
    most = math.isqrt(int(min(wanted, share * area / FEWEST)))
    side = max(1, min(round(size * min(canvas.height, canvas.width)), most))
    mask = _random_cells(rng, canvas, side, wanted, share * area)
    seed = int(rng.integers(2**63))
    if not happens(rng, probability) or not mask.any():
        return None
    return PixelFunction(partial(filtered, "masked", mask, fill, seed)).with_params(share=float(mask.mean()))


def _random_cells(rng: np.random.Generator, canvas: Canvas, side: int, wanted: float, most: float) -> np.ndarray:
    """Draw cells of an even grid that cover `wanted` pixels on average, and never more than `most`; bool (H, W)."""
    heights, widths = (
        np.diff(np.linspace(0, length, -(-length // side) + 1).round().astype(int))
        for length in (canvas.height, canvas.width)
    )
    areas = np.outer(heights, widths).ravel()
    order = rng.permutation(areas.size)
    reached, luck = areas[order].cumsum(), rng.random()
    taken = reached - (1 - luck) * areas[order] <= wanted  # the last cell is in or out by chance
    taken[0] = True
    hidden = np.zeros(areas.size, bool)
    hidden[order[taken & (reached <= most)]] = True
    return hidden.reshape(heights.size, widths.size).repeat(heights, axis=0).repeat(widths, axis=1)


@augmentation.register(severity={"share": (0.0, 0.6)})
def grid_mask(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    share: Share = 0.25,
    cell: ShareRange = (0.1, 0.4),
    fill: Fill = "mean",
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Hide the squares of a regular grid.

    Settings:
        share: the share of the picture that is hidden, in the mean over the places of the grid
        cell: the smallest and the largest distance of the squares, as a share of the picture's shorter side

    Chen et al. 2020, without turning the grid.
    """
    pitch = rng.uniform(*cell) * min(canvas.height, canvas.width)
    start_x, start_y = rng.uniform(0, pitch, 2)
    seed = int(rng.integers(2**63))
    if not happens(rng, probability):
        return None
    side = math.sqrt(share) * pitch
    rows, columns = np.arange(canvas.height) + 0.5, np.arange(canvas.width) + 0.5
    mask = ((rows + start_y) % pitch < side)[:, None] & ((columns + start_x) % pitch < side)
    return PixelFunction(partial(filtered, "masked", mask, fill, seed)).with_params(cell=pitch)
