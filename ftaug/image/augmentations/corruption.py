"""The common corruptions of Hendrycks and Dietterich (2019), by which robustness is measured, as an augmentation."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal, get_args

import numpy as np
from pydantic import Field

from ftaug.augment.transform import happens
from ftaug.config.types import Wording
from ftaug.image import augmentation
from ftaug.image.augmentations.transforms import Canvas, OpProbability, PixelFunction

Corruption = Literal[
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "snow",
    "frost",
    "fog",
    "brightness",
    "contrast",
    "elastic_transform",
    "pixelate",
    "jpeg_compression",
    "speckle_noise",
    "gaussian_blur",
    "spatter",
    "saturate",
]
Level = Annotated[int, Field(ge=1, le=5), Wording("a whole number from 1 to 5")]
WEATHER = ("snow", "frost", "fog", "spatter")
SMALL = 96
"""Shorter side in pixels below which constants are those of CIFAR-10-C (32 pixels), else of ImageNet-C (224)."""

Table = dict[str, tuple[tuple[float, ...], ...]]
IMAGENET: Table = {
    "gaussian_noise": ((0.08,), (0.12,), (0.18,), (0.26,), (0.38,)),
    "shot_noise": ((60,), (25,), (12,), (5,), (3,)),
    "impulse_noise": ((0.03,), (0.06,), (0.09,), (0.17,), (0.27,)),
    "defocus_blur": ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
    "glass_blur": ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
    "motion_blur": ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    "zoom_blur": ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
    "snow": (
        (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
        (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
        (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
        (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
        (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
    ),
    "frost": ((1, 0.4), (0.8, 0.6), (0.7, 0.7), (0.65, 0.7), (0.6, 0.75)),
    "fog": ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
    "brightness": ((0.1,), (0.2,), (0.3,), (0.4,), (0.5,)),
    "contrast": ((0.4,), (0.3,), (0.2,), (0.1,), (0.05,)),
    "elastic_transform": (  # of 244 pixels, by mistake, for images of 224
        (488 / 224, 170.8 / 224, 24.4 / 224),
        (488 / 224, 19.52 / 224, 48.8 / 224),
        (12.2 / 224, 2.44 / 224, 4.88 / 224),
        (17.08 / 224, 2.44 / 224, 4.88 / 224),
        (29.28 / 224, 2.44 / 224, 4.88 / 224),
    ),
    "pixelate": ((0.6,), (0.5,), (0.4,), (0.3,), (0.25,)),
    "jpeg_compression": ((25,), (18,), (15,), (10,), (7,)),
    "speckle_noise": ((0.15,), (0.2,), (0.35,), (0.45,), (0.6,)),
    "gaussian_blur": ((1,), (2,), (3,), (4,), (6,)),
    "spatter": (
        (0.65, 0.3, 4, 0.69, 0.6, 0),
        (0.65, 0.3, 3, 0.68, 0.6, 0),
        (0.65, 0.3, 2, 0.68, 0.5, 0),
        (0.65, 0.3, 1, 0.65, 1.5, 1),
        (0.67, 0.4, 1, 0.65, 1.5, 1),
    ),
    "saturate": ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
}
CIFAR: Table = {
    "gaussian_noise": ((0.04,), (0.06,), (0.08,), (0.09,), (0.10,)),
    "shot_noise": ((500,), (250,), (100,), (75,), (50,)),
    "impulse_noise": ((0.01,), (0.02,), (0.03,), (0.05,), (0.07,)),
    "defocus_blur": ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
    "glass_blur": ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
    "motion_blur": ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
    "zoom_blur": ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01)),
    "snow": (
        (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
        (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
        (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
        (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
        (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
    ),
    "frost": ((1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)),
    "fog": ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
    "brightness": ((0.05,), (0.1,), (0.15,), (0.2,), (0.3,)),
    "contrast": ((0.75,), (0.5,), (0.4,), (0.3,), (0.15,)),
    "elastic_transform": ((0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)),
    "pixelate": ((0.95,), (0.9,), (0.85,), (0.75,), (0.65,)),
    "jpeg_compression": ((80,), (65,), (58,), (50,), (40,)),
    "speckle_noise": ((0.06,), (0.1,), (0.12,), (0.16,), (0.2,)),
    "gaussian_blur": ((0.4,), (0.6,), (0.7,), (0.8,), (1,)),
    "spatter": (
        (0.62, 0.1, 0.7, 0.7, 0.5, 0),
        (0.65, 0.1, 0.8, 0.7, 0.5, 0),
        (0.65, 0.3, 1, 0.69, 0.5, 0),
        (0.65, 0.1, 0.7, 0.69, 0.6, 1),
        (0.65, 0.1, 0.5, 0.68, 0.6, 1),
    ),
    "saturate": ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
}
KINDS: tuple[str, ...] = get_args(Corruption)


@augmentation.register
def corruption(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    kind: Corruption,
    level: Level = 3,
    probability: OpProbability = 1.0,
) -> PixelFunction | None:
    """Apply one of the common corruptions by which robustness is measured (ImageNet-C, CIFAR-10-C).

    Settings:
        kind: the corruption
        level: its severity, from 1 to 5, with the published constants

    Images whose shorter side is below 96 pixels have the constants of CIFAR-10-C, others those of ImageNet-C; they are
    not scaled to the size. Frost is computed, where the published one is cut from photographs.

    Hendrycks and Dietterich 2019. A model that is trained on a corruption says little about robustness when it is then
    measured on the same one.
    """
    seed = int(rng.integers(2**63))
    if not happens(rng, probability):
        return None
    table = CIFAR if is_small(canvas.height, canvas.width) else IMAGENET
    return PixelFunction(partial(corrupted, kind, table[kind][level - 1], seed)).with_params(kind=kind, level=level)


def is_small(height: int, width: int) -> bool:
    """Whether an image of this size has the constants of CIFAR-10-C."""
    return min(height, width) < SMALL


def corrupted(kind: str, constants: tuple[float, ...], seed: int, pixels: np.ndarray) -> np.ndarray:
    """Corrupt uint8 (H, W, 3); values are truncated to whole levels, as in the published data."""
    from ftaug.image.render import corruptions, weather_corruptions

    module = weather_corruptions if kind in WEATHER else corruptions
    result = getattr(module, kind)(constants, np.random.Generator(np.random.SFC64(seed)), pixels / 255)
    return np.asarray((result.clip(0, 1) * 255 + 1e-6).astype(np.uint8))
