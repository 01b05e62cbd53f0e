"""Blur, sharpness, downscale and JPEG compression augmentations."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import numpy as np
from pydantic import Field

from ftaug.augment.transform import happens
from ftaug.config.types import Fraction, Wording
from ftaug.image import augmentation
from ftaug.image.augmentations.transforms import Canvas, OpProbability, PixelFunction, Share, Strength, filtered

Quality = Annotated[int, Field(ge=1, le=100), Wording("a whole number from 1 to 100")]


@augmentation.register(severity={"sigma": (0.0, 0.05)})
def gaussian_blur(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    sigma: Share = 0.009,
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Blur the picture with a Gaussian kernel of random width.

    Settings:
        sigma: the largest standard deviation, as a share of the picture's shorter side; uniform up to it

    At 224 pixels the default is up to 2 pixels wide, as in SimCLR.
    """
    deviation = rng.uniform(0, sigma)
    if not happens(rng, probability):
        return None
    return PixelFunction(partial(filtered, "blurred", deviation * min(canvas.height, canvas.width))).with_params(
        sigma=deviation
    )


@augmentation.register(severity={"length": (0.0, 0.2)})
def motion_blur(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    length: Share = 0.05,
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Apply motion blur: along a line of random length and direction.

    Settings:
        length: the longest line, as a share of the picture's shorter side; uniform up to it
    """
    share, degrees = rng.uniform(0, length), rng.uniform(0, 180)
    pixels = max(1.0, share * min(canvas.height, canvas.width))
    if not happens(rng, probability):
        return None
    return PixelFunction(partial(filtered, "motion_blurred", pixels, degrees)).with_params(
        length=share, degrees=degrees
    )


@augmentation.register(severity={"strength": (0.0, 1.0)})
def sharpness(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Strength = 0.5,
    probability: OpProbability = 1.0,
) -> PixelFunction | None:
    """Make the picture softer or sharper by a random factor."""
    factor = rng.uniform(1 - strength, 1 + strength)
    if not happens(rng, probability):
        return None
    return PixelFunction(partial(filtered, "sharpened", factor)).with_params(factor=factor)


@augmentation.register(severity={"factor": (1.0, 0.1)})
def downscale(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    factor: Fraction = 0.5,
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Downscale the picture by a random factor and upscale it to its original size.

    Settings:
        factor: the smallest factor; uniform from it to 1
    """
    zoom = rng.uniform(factor, 1)
    if not happens(rng, probability):
        return None
    return PixelFunction(partial(filtered, "coarsened", zoom)).with_params(factor=zoom)


@augmentation.register(severity={"quality": (100, 5)})
def jpeg(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    quality: Quality = 50,
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Compress the picture as a JPEG of random quality.

    Settings:
        quality: the lowest quality; uniform from it to 100
    """
    drawn = int(rng.integers(quality, 100, endpoint=True))
    if not happens(rng, probability):
        return None
    return PixelFunction(partial(filtered, "compressed", drawn)).with_params(quality=drawn)
