"""Synthetic pictures with the statistics of photographs: dead leaves, opaque shapes that hide one another.

Sizes follow a power law and colors are drawn near a palette of the picture, so that spectra fall as 1/f and edges are
sharp, as in photographs (Lee, Mumford and Huang, 2001); shapes carry shading and texture.
"""

import cv2
import numpy as np

SMALLEST, LARGEST = 6, 110  # pixels of a radius


def dead_leaves(seed: int, height: int = 240, width: int = 320) -> np.ndarray:
    """A picture, uint8 (height, width, 3), another one for each seed."""
    rng = np.random.default_rng(seed)
    palette = rng.uniform(20, 235, (rng.integers(3, 7), 3))
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = palette[0]
    radii = np.sort((rng.uniform(LARGEST**-1.0, SMALLEST**-1.0, rng.integers(60, 260))) ** -1.0)[::-1]
    rng.shuffle(radii[len(radii) // 3 :])
    for radius in radii:
        center = rng.integers(0, (width, height))
        color = palette[rng.integers(len(palette))] + rng.normal(0, 12, 3)
        corners = int(rng.integers(3, 9))
        if rng.random() < 0.6:
            axes = (int(radius), max(2, int(radius * rng.uniform(0.3, 1))))
            cv2.ellipse(picture, center.tolist(), axes, rng.uniform(0, 180), 0, 360, color.tolist(), -1)
        else:
            angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
            points = center + radius * np.stack([np.cos(angles), np.sin(angles)], 1)
            cv2.fillPoly(picture, [points.astype(np.int32)], color.tolist())
    picture *= _light(rng, height, width)[..., None]
    picture += (
        rng.uniform(0, 10) * cv2.GaussianBlur(rng.standard_normal((height, width), np.float32), (0, 0), 1.2)[..., None]
    )
    return picture.clip(0, 255).astype(np.uint8)


def _light(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Smooth shading around 1."""
    coarse = rng.normal(1, 0.15, (4, 5)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
