"""Weather augmentations: fog and shadow."""

from __future__ import annotations

from functools import partial

import numpy as np

from ftaug.augment.transform import happens
from ftaug.image import augmentation
from ftaug.image.augmentations.transforms import Canvas, OpProbability, PixelFunction, Share, filtered


@augmentation.register(severity={"strength": (0.0, 0.9)})
def fog(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Share = 0.5,
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Add fog to the picture: a white layer of varying density.

    Settings:
        strength: how thick the fog gets at most; uniform up to it; at 1 its thickest places are white
    """
    thickness = rng.uniform(0, strength)
    clouds = rng.uniform(0, 1, (5, 5))
    if not happens(rng, probability):
        return None
    return PixelFunction(partial(filtered, "fogged", thickness, clouds)).with_params(thickness=thickness)


@augmentation.register(severity={"strength": (0.0, 0.9)})
def shadow(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Share = 0.5,
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Cast a shadow over a random part of the picture.

    Settings:
        strength: how much of the light the shadow takes at most; uniform up to it
    """
    taken = rng.uniform(0, strength)
    (left, right), lean = np.sort(rng.uniform(0, 1, 2)), rng.uniform(-0.5, 0.5)
    corners = np.array([[left - lean, 0], [right + 0.1 - lean, 0], [right + 0.1 + lean, 1], [left + lean, 1]])
    corners = corners if rng.random() < 0.5 else corners[:, ::-1]
    if not happens(rng, probability):
        return None
    return PixelFunction(partial(filtered, "shaded", taken, corners)).with_params(taken=taken)
