"""Affine transforms with given parameters: rotate, translate, scale, shear, as homographies."""

from __future__ import annotations

import math

import numpy as np

from ftaug.config.registry import FrozenDict
from ftaug.image.augmentations.transforms import Border, Canvas, Homography, matrix


def turned(canvas: Canvas, degrees: float, border: Border) -> Homography:
    """Rotate about the center, counter-clockwise."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return _about_center(canvas, [[cos, sin], [-sin, cos]], border, degrees=degrees)


def quarters_turned(canvas: Canvas, quarters: int) -> Homography:
    """Rotate by multiples of 90 degrees, counter-clockwise; height and width are swapped for 1 and 3."""
    height, width = canvas.height, canvas.width
    turn = {
        1: Homography(matrix([[0, 1, 0], [-1, 0, width], [0, 0, 1]]), width, height),
        2: Homography(matrix([[-1, 0, width], [0, -1, height], [0, 0, 1]]), height, width),
        3: Homography(matrix([[0, -1, height], [1, 0, 0], [0, 0, 1]]), width, height),
    }[quarters]
    return turn.with_params(degrees=90 * quarters)


def shifted(canvas: Canvas, x: float, y: float, border: Border) -> Homography:
    """Translate by shares of the width and the height."""
    offset = matrix([[1, 0, x * canvas.width], [0, 1, y * canvas.height], [0, 0, 1]])
    return Homography(offset, canvas.height, canvas.width, border, values=FrozenDict(x=x, y=y))


def zoomed(canvas: Canvas, factor: float, border: Border) -> Homography:
    """Scale about the center."""
    return _about_center(canvas, [[factor, 0], [0, factor]], border, factor=factor)


def slanted(canvas: Canvas, x: float, y: float, border: Border) -> Homography:
    """Shear about the center, by angles in degrees."""
    linear = [[1, math.tan(math.radians(x))], [math.tan(math.radians(y)), 1]]
    return _about_center(canvas, linear, border, x=x, y=y)


def slanted_about_corner(canvas: Canvas, x: float, y: float, border: Border) -> Homography:
    """Shear about the upper left corner by slopes, as AutoAugment and its successors do."""
    offset = matrix([[1, x, 0], [y, 1, 0], [0, 0, 1]])
    return Homography(offset, canvas.height, canvas.width, border, values=FrozenDict(x=x, y=y))


def _about_center(canvas: Canvas, linear: list[list[float]], border: Border, **values: float) -> Homography:
    """Apply a 2×2 linear map about the center of the canvas."""
    (a, b), (c, d) = linear
    x, y = canvas.width / 2, canvas.height / 2
    offset = matrix([[a, b, x - a * x - b * y], [c, d, y - c * x - d * y], [0, 0, 1]])
    return Homography(offset, canvas.height, canvas.width, border, values=FrozenDict(values))


def homography(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the 3×3 homography that maps four points (4, 2) to four others."""
    rows, values = [], []
    for (x, y), (u, v) in zip(start, end, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.append(np.linalg.solve(matrix(rows), values), 1).reshape(3, 3)
