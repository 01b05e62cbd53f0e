"""Deterministic synthetic images, to compare exports where the user's data is not available."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ftaug.image.io.encode import encode

SIZES = ((2, 3), (9, 7), (28, 28), (61, 140), (331, 457), (683, 512), (1200, 1600))
"""Heights and widths: smaller and larger than most models' inputs, and of other aspect ratios."""


def synthetic(preprocessing: Mapping[str, Any]) -> list[bytes]:
    """Return PNG files of multi-scale noise on a gradient; the last has the model's input size."""
    rng = np.random.default_rng(0)
    return [encode(_picture(height, width, rng)) for height, width in (*SIZES, preprocessing["size"])]


def _picture(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    y, x = np.ogrid[:height, :width]
    values = 64 + 64 * (y / height + x / width)[..., None] + np.zeros(3)
    for cell in (1, 8, 64):
        noise = rng.normal(scale=20, size=(height // cell + 1, width // cell + 1, 3))
        values += noise.repeat(cell, axis=0).repeat(cell, axis=1)[:height, :width]
    return np.clip(values, 0, 255).astype(np.uint8)
