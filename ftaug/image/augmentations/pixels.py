"""Augmentations that need the pixels themselves: they end what can be fused before them."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ftaug.config.types import Probability
from ftaug.image import augmentation
from ftaug.image.augmentations.draws import Canvas, Pixels, Range, ShareRange, box_of_shape, happens


@augmentation.register
def random_erasing(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    area: ShareRange = (0.02, 0.33),
    ratio: Range = (0.3, 3.3),
    fill: Literal["mean", "black", "noise"] = "mean",
    probability: Probability = 0.5,
) -> Pixels | None:
    """Erase a rectangle of random area, shape and place.

    Settings:
        area: the smallest and the largest area erased, as shares of the picture's
        ratio: the smallest and the largest width/height of the rectangle; log-uniform between them
        fill: the picture's mean colour, black, or noise that is uniform in every channel
        probability: the chance that the op fires for a picture

    Zhong et al. 2017.
    """
    box = box_of_shape(rng, canvas, area, ratio)
    seed = int(rng.integers(2**63))
    if not happens(rng, probability) or box is None:
        return None
    top, left, height, width = box

    def erase(pixels: np.ndarray) -> np.ndarray:
        erased = pixels.copy()
        window = erased[top : top + height, left : left + width]
        if fill == "mean":
            window[:] = np.rint(pixels.mean((0, 1)))
        elif fill == "black":
            window[:] = 0
        else:
            window[:] = np.random.default_rng(seed).integers(256, size=window.shape, dtype=np.uint8)
        return erased

    return Pixels(erase)
