"""Noise augmentations: Gaussian noise, shot noise (Poisson), salt and pepper."""

from __future__ import annotations

from functools import partial

import numpy as np

from ftaug.augment.transform import happens
from ftaug.image import augmentation
from ftaug.image.augmentations.transforms import Canvas, OpProbability, PixelFunction, Share, filtered


@augmentation.register(severity={"strength": (0.0, 0.4)})
def gaussian_noise(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Share = 0.1,
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Add Gaussian noise of random strength, independently to every value.

    Settings:
        strength: the largest standard deviation, as a share of white; uniform up to it
    """
    deviation, seed = rng.uniform(0, strength), int(rng.integers(2**63))
    if not happens(rng, probability):
        return None
    return PixelFunction(partial(filtered, "with_gaussian_noise", deviation, seed)).with_params(deviation=deviation)


@augmentation.register(severity={"strength": (0.0, 0.4)})
def shot_noise(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    strength: Share = 0.1,
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Add shot noise (Poisson noise, as of counted photons), which is stronger where the picture is lighter.

    Settings:
        strength: the largest standard deviation of white, as a share of it; uniform up to it
    """
    deviation, seed = rng.uniform(0, strength), int(rng.integers(2**63))
    if not happens(rng, probability):
        return None
    return PixelFunction(partial(filtered, "with_shot_noise", deviation, seed)).with_params(deviation=deviation)


@augmentation.register(severity={"share": (0.0, 0.3)})
def salt_and_pepper(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    share: Share = 0.05,
    probability: OpProbability = 0.5,
) -> PixelFunction | None:
    """Add salt-and-pepper noise: make random pixels black or white.

    Settings:
        share: the largest share of the pixels; uniform up to it, one pixel at least
    """
    hit, seed = rng.uniform(0, share), int(rng.integers(2**63))
    if not happens(rng, probability):
        return None
    pixels = canvas.height * canvas.width
    count = min(max(1, int(hit * pixels + rng.random())), int(share * pixels + 1e-9))
    return PixelFunction(partial(filtered, "with_salt_and_pepper", count, seed)).with_params(share=count / pixels)
