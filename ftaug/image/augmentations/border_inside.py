"""The border policy `inside`: look at less of the picture rather than beyond it."""

from __future__ import annotations

import numpy as np

from ftaug.image.augmentations.transforms import Homography, matrix

SMALLEST = 0.5
"""The canvas is shrunk this far at most before it is moved towards the picture."""


def kept_inside(geometry: Homography, height: int, width: int) -> Homography:
    """The geometry enlarged about the centre of its canvas, until that shows nothing but a picture of this size."""
    moved, share = geometry.matrix, _share(geometry.matrix, geometry, height, width)
    if share < SMALLEST:
        shown = zip(_shown(moved, geometry, SMALLEST), (width, height), strict=True)
        right, down = (_shift(float(points.min()), float(points.max()), length) for points, length in shown)
        moved = moved @ matrix([[1, 0, -right], [0, 1, -down], [0, 0, 1]])
        share = _share(moved, geometry, height, width)
    zoom, x, y = 1 / max(share, 1e-3), geometry.width / 2, geometry.height / 2
    about_centre = matrix([[zoom, 0, x - zoom * x], [0, zoom, y - zoom * y], [0, 0, 1]])
    return Homography(about_centre @ moved, geometry.height, geometry.width, geometry.border, geometry.settles)


def _spokes(moved: np.ndarray, geometry: Homography) -> tuple[np.ndarray, np.ndarray]:
    """Where the canvas's centre comes from, and what leads from there to its four corners; homogeneous."""
    x, y = geometry.width / 2, geometry.height / 2
    back = np.linalg.inv(moved)
    centre = back @ [x, y, 1]
    spokes = back @ matrix([[-x, x, x, -x], [-y, -y, y, y], [0, 0, 0, 0]])
    return centre / centre[2], spokes / centre[2]


def _share(moved: np.ndarray, geometry: Homography, height: int, width: int) -> float:
    """How much of the canvas, about its centre, shows the picture alone: at most 1, at least 0."""
    centre, spokes = _spokes(moved, geometry)
    edges = matrix([[1, 0, 0], [0, 1, 0], [-1, 0, width], [0, -1, height], [0, 0, 1]])
    room, used = edges @ centre, -(edges @ spokes).min(axis=1)
    tight = used > 1e-9
    return float(np.min(room[tight] / used[tight], initial=1.0).clip(0, 1))


def _shown(moved: np.ndarray, geometry: Homography, share: float) -> tuple[np.ndarray, np.ndarray]:
    """The points of the picture at the corners of the canvas, shrunk to a share about its centre."""
    centre, spokes = _spokes(moved, geometry)
    x, y, depth = centre[:, None] + share * spokes
    return x / depth, y / depth


def _shift(start: float, end: float, length: int) -> float:
    """How far a stretch moves to lie within a length; to its middle, where it is longer."""
    if end - start > length:
        return (length - start - end) / 2
    return -min(start, 0) - max(end - length, 0)
