"""Border mode `inside`: zoom in until nothing outside the image is visible."""

from __future__ import annotations

import numpy as np

from ftaug.image.augmentations.transforms import Homography, matrix

SMALLEST = 0.5
"""Smallest share of the canvas that is shown before it is shifted towards the image instead."""


def kept_inside(geometry: Homography, height: int, width: int) -> Homography:
    """Zoom a homography about the center of its canvas until only the image, of this height and width, is visible."""
    shifted, share = geometry.matrix, _share(geometry.matrix, geometry, height, width)
    if share < SMALLEST:
        shown = zip(_shown(shifted, geometry, SMALLEST), (width, height), strict=True)
        right, down = (_shift(float(points.min()), float(points.max()), length) for points, length in shown)
        shifted = shifted @ matrix([[1, 0, -right], [0, 1, -down], [0, 0, 1]])
        share = _share(shifted, geometry, height, width)
    zoom, x, y = 1 / max(share, 1e-3), geometry.width / 2, geometry.height / 2
    about_center = matrix([[zoom, 0, x - zoom * x], [0, zoom, y - zoom * y], [0, 0, 1]])
    return Homography(about_center @ shifted, geometry.height, geometry.width, geometry.border, geometry.fixes_size)


def _spokes(shifted: np.ndarray, geometry: Homography) -> tuple[np.ndarray, np.ndarray]:
    """Map the canvas center, and the vectors from it to its four corners, back to the image; homogeneous."""
    x, y = geometry.width / 2, geometry.height / 2
    back = np.linalg.inv(shifted)
    center = back @ [x, y, 1]
    spokes = back @ matrix([[-x, x, x, -x], [-y, -y, y, y], [0, 0, 0, 0]])
    return center / center[2], spokes / center[2]


def _share(shifted: np.ndarray, geometry: Homography, height: int, width: int) -> float:
    """Return the largest share of the canvas, about its center, that shows only the image; in 0…1."""
    center, spokes = _spokes(shifted, geometry)
    edges = matrix([[1, 0, 0], [0, 1, 0], [-1, 0, width], [0, -1, height], [0, 0, 1]])
    room, used = edges @ center, -(edges @ spokes).min(axis=1)
    tight = used > 1e-9
    return float(np.min(room[tight] / used[tight], initial=1.0).clip(0, 1))


def _shown(shifted: np.ndarray, geometry: Homography, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the image points (x, y) at the corners of the canvas shrunk to a share about its center."""
    center, spokes = _spokes(shifted, geometry)
    x, y, depth = center[:, None] + share * spokes
    return x / depth, y / depth


def _shift(start: float, end: float, length: int) -> float:
    """Return the shift that brings an interval into [0, length]; one that is longer is centered."""
    if end - start > length:
        return (length - start - end) / 2
    return -min(start, 0) - max(end - length, 0)
