"""Augmentations that recolour a picture. All are linear in RGB, so that any number of them is one matrix."""

from __future__ import annotations

import math

import numpy as np

from ftaug.config.types import Probability
from ftaug.image import augmentation
from ftaug.image.augmentations.draws import Canvas, Colour, Share, Turns, happens, matrix

LUMA = matrix([0.299, 0.587, 0.114])
"""The weights of red, green and blue in a grey (ITU-R BT.601), as Pillow and torchvision have them."""

UNCHANGED = np.eye(3)
TO_GREY = np.tile(LUMA, (3, 1))


@augmentation.register
def brightness(
    canvas: Canvas, rng: np.random.Generator, *, strength: Share = 0.4, probability: Probability = 1.0
) -> Colour | None:
    """Make the picture darker or brighter by a random factor.

    Settings:
        strength: the factor is uniform in 1 ± strength
        probability: the chance that the op fires for a picture
    """
    factor = rng.uniform(1 - strength, 1 + strength)
    return Colour.of(factor * UNCHANGED) if happens(rng, probability) else None


@augmentation.register
def contrast(
    canvas: Canvas, rng: np.random.Generator, *, strength: Share = 0.4, probability: Probability = 1.0
) -> Colour | None:
    """Move every value towards or away from the picture's mean grey by a random factor.

    Settings:
        strength: the factor is uniform in 1 ± strength
        probability: the chance that the op fires for a picture
    """
    factor = rng.uniform(1 - strength, 1 + strength)
    return Colour.of(factor * UNCHANGED, by_mean=(1 - factor) * TO_GREY) if happens(rng, probability) else None


@augmentation.register
def saturation(
    canvas: Canvas, rng: np.random.Generator, *, strength: Share = 0.4, probability: Probability = 1.0
) -> Colour | None:
    """Move every pixel towards or away from its own grey by a random factor.

    Settings:
        strength: the factor is uniform in 1 ± strength
        probability: the chance that the op fires for a picture
    """
    factor = rng.uniform(1 - strength, 1 + strength)
    return _saturated(factor) if happens(rng, probability) else None


@augmentation.register
def hue(
    canvas: Canvas, rng: np.random.Generator, *, strength: Turns = 0.1, probability: Probability = 1.0
) -> Colour | None:
    """Turn all colours round the colour circle by a random angle; greys stay.

    Settings:
        strength: the largest turn either way, as a share of the circle; uniform up to it
        probability: the chance that the op fires for a picture

    A rotation of RGB about its grey axis, which is a matrix. At thirds of the circle it is torchvision's turn in HSV;
    between them a value differs from that by at most 85, less the greyer the colour is.
    """
    angle = 2 * math.pi * rng.uniform(-strength, strength)
    if not happens(rng, probability):
        return None
    across = math.sin(angle) / math.sqrt(3) * matrix([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    return Colour.of(math.cos(angle) * UNCHANGED + (1 - math.cos(angle)) / 3 + across)


@augmentation.register
def grayscale(canvas: Canvas, rng: np.random.Generator, *, probability: Probability = 0.1) -> Colour | None:
    """Take the colour out of the picture.

    Settings:
        probability: the chance that the op fires for a picture
    """
    return _saturated(0) if happens(rng, probability) else None


@augmentation.register
def invert(canvas: Canvas, rng: np.random.Generator, *, probability: Probability = 0.1) -> Colour | None:
    """Turn the picture into its negative.

    Settings:
        probability: the chance that the op fires for a picture
    """
    return Colour.of(-UNCHANGED, constant=255) if happens(rng, probability) else None


def _saturated(factor: float) -> Colour:
    return Colour.of(factor * UNCHANGED + (1 - factor) * TO_GREY)
