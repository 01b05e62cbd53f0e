"""Augmentations that move a picture: mirror, turn, shift, zoom, slant, crop, resize, tilt."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np

from ftaug.config.types import Degrees, Probability
from ftaug.image import augmentation
from ftaug.image.augmentations.draws import (
    Border,
    Canvas,
    Distortion,
    Extent,
    Geometry,
    Range,
    Share,
    ShareRange,
    Tilt,
    box_of_shape,
    happens,
    matrix,
)

IDENTITY = np.eye(3)


@augmentation.register
def horizontal_flip(canvas: Canvas, rng: np.random.Generator, *, probability: Probability = 0.5) -> Geometry | None:
    """Mirror the picture left to right.

    Settings:
        probability: the chance that the op fires for a picture
    """
    if not happens(rng, probability):
        return None
    return Geometry(matrix([[-1, 0, canvas.width], [0, 1, 0], [0, 0, 1]]), canvas.height, canvas.width)


@augmentation.register
def vertical_flip(canvas: Canvas, rng: np.random.Generator, *, probability: Probability = 0.5) -> Geometry | None:
    """Mirror the picture top to bottom.

    Settings:
        probability: the chance that the op fires for a picture
    """
    if not happens(rng, probability):
        return None
    return Geometry(matrix([[1, 0, 0], [0, -1, canvas.height], [0, 0, 1]]), canvas.height, canvas.width)


@augmentation.register
def rotate(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    degrees: Degrees = 15.0,
    probability: Probability = 1.0,
    border: Border = "constant",
) -> Geometry | None:
    """Turn the picture by a random angle about its centre.

    Settings:
        degrees: the largest angle either way; uniform up to it
        probability: the chance that the op fires for a picture
        border: outside the picture: black (constant), its mirror image (reflect) or its edge (replicate);
            or zoom in until nothing of it shows (inside)
    """
    angle = math.radians(rng.uniform(-degrees, degrees))
    if not happens(rng, probability):
        return None
    cos, sin = math.cos(angle), math.sin(angle)
    return _about_centre(canvas, [[cos, sin], [-sin, cos]], border)


@augmentation.register
def translate(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    x: Share = 0.1,
    y: Share = 0.1,
    probability: Probability = 1.0,
    border: Border = "constant",
) -> Geometry | None:
    """Shift the picture by a random share of its width and height.

    Settings:
        x: the largest shift to either side, as a share of the width; uniform up to it
        y: the largest shift up or down, as a share of the height; uniform up to it
        probability: the chance that the op fires for a picture
        border: outside the picture: black (constant), its mirror image (reflect) or its edge (replicate);
            or zoom in until nothing of it shows (inside)
    """
    right, down = rng.uniform(-x, x) * canvas.width, rng.uniform(-y, y) * canvas.height
    if not happens(rng, probability):
        return None
    return Geometry(matrix([[1, 0, right], [0, 1, down], [0, 0, 1]]), canvas.height, canvas.width, border)


@augmentation.register
def scale(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    factor: Range = (0.8, 1.25),
    probability: Probability = 1.0,
    border: Border = "constant",
) -> Geometry | None:
    """Zoom in or out about the centre; the size in pixels stays.

    Settings:
        factor: the smallest and the largest zoom; log-uniform between them
        probability: the chance that the op fires for a picture
        border: outside the picture: black (constant), its mirror image (reflect) or its edge (replicate);
            or zoom in until nothing of it shows (inside)
    """
    zoom = math.exp(rng.uniform(math.log(factor[0]), math.log(factor[1])))
    if not happens(rng, probability):
        return None
    return _about_centre(canvas, [[zoom, 0], [0, zoom]], border)


@augmentation.register
def shear(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    x: Tilt = 10.0,
    y: Tilt = 0.0,
    probability: Probability = 1.0,
    border: Border = "constant",
) -> Geometry | None:
    """Slant the picture by a random angle about its centre.

    Settings:
        x: the largest angle, in degrees, by which upright lines lean to either side; uniform up to it
        y: the largest angle, in degrees, by which level lines rise or fall; uniform up to it
        probability: the chance that the op fires for a picture
        border: outside the picture: black (constant), its mirror image (reflect) or its edge (replicate);
            or zoom in until nothing of it shows (inside)
    """
    across, along = math.radians(rng.uniform(-x, x)), math.radians(rng.uniform(-y, y))
    if not happens(rng, probability):
        return None
    return _about_centre(canvas, [[1, math.tan(across)], [math.tan(along), 1]], border)


@augmentation.register
def perspective(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    distortion: Distortion = 0.3,
    probability: Probability = 0.5,
    border: Border = "constant",
) -> Geometry | None:
    """Tilt the picture in space: each corner moves inwards by a random amount.

    Settings:
        distortion: how far a corner moves at most, as a share of half the width and height
        probability: the chance that the op fires for a picture
        border: outside the picture: black (constant), its mirror image (reflect) or its edge (replicate);
            or zoom in until nothing of it shows (inside)
    """
    inwards = rng.uniform(0, distortion / 2, size=(4, 2))
    if not happens(rng, probability):
        return None
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    extent = np.array([canvas.width, canvas.height])
    moved = (corners + inwards * (1 - 2 * corners)) * extent
    return Geometry(_homography(corners * extent, moved), canvas.height, canvas.width, border)


@augmentation.register
def random_crop(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    size: Extent = None,
    padding: Share = 0.0,
    border: Border = "constant",
) -> Geometry:
    """Cut out a window at a random place, without resizing.

    Settings:
        size: the window in pixels: a side, or [height, width]; default: what the model takes
        padding: how far the window may reach beyond the picture, as a share of its width and height
        border: outside the picture: black (constant), its mirror image (reflect) or its edge (replicate);
            or zoom in until nothing of it shows (inside)
    """
    height, width = canvas.extent(size)
    top = _random_start(rng, canvas.height, height, padding)
    left = _random_start(rng, canvas.width, width, padding)
    return replace(_window(canvas, top, left, height, width, border), settles=True)


@augmentation.register
def random_resized_crop(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    size: Extent = None,
    scale: ShareRange = (0.08, 1.0),
    ratio: Range = (3 / 4, 4 / 3),
) -> Geometry:
    """Cut out a window of random area, shape and place, and resize it.

    Settings:
        size: the result in pixels: a side, or [height, width]; default: what the model takes
        scale: the smallest and the largest area of the window, as shares of the picture's
        ratio: the smallest and the largest width/height of the window; log-uniform between them

    Szegedy et al. 2014; the same draws as torchvision's, with its fallback to the largest central window.
    """
    box = box_of_shape(rng, canvas, scale, ratio) or _central_box(canvas, ratio)
    return replace(_resized(_window(canvas, *box), *canvas.extent(size)), settles=True)


@augmentation.register
def center_crop(
    canvas: Canvas, rng: np.random.Generator, *, size: Extent = None, border: Border = "constant"
) -> Geometry:
    """Cut out the central window, without resizing.

    Settings:
        size: the window in pixels: a side, or [height, width]; default: what the model takes
        border: outside a smaller picture: black (constant), its mirror image (reflect) or its edge (replicate);
            or zoom in until nothing of it shows (inside)
    """
    height, width = canvas.extent(size)
    top, left = round((canvas.height - height) / 2), round((canvas.width - width) / 2)
    return replace(_window(canvas, top, left, height, width, border), settles=True)


@augmentation.register
def resize(
    canvas: Canvas, rng: np.random.Generator, *, size: Extent = None, mode: Literal["shortest", "squash"] = "shortest"
) -> Geometry:
    """Resize the picture; crops after it see the result.

    Settings:
        size: pixels: a side, or [height, width]; default: what the model takes
        mode: "shortest" keeps the proportions and just covers the size, "squash" changes them to fit it exactly
    """
    height, width = canvas.extent(size)
    if mode == "shortest":
        height, width = covering(canvas, height, width)
    return replace(_resized(Geometry(IDENTITY, canvas.height, canvas.width), height, width), settles=mode == "squash")


def covering(canvas: Canvas, height: int, width: int) -> tuple[int, int]:
    """The smallest size with the picture's proportions that covers a window; the longer side is rounded down."""
    if canvas.height * width <= canvas.width * height:
        return height, max(width, canvas.width * height // canvas.height)
    return max(height, canvas.height * width // canvas.width), width


def resized_centre(canvas: Canvas, resize_to: int | None) -> Geometry:
    """What evaluation sees: the shorter side resized, then the centre cut out; without a number, all of it squashed."""
    height, width = canvas.target
    whole = Geometry(IDENTITY, canvas.height, canvas.width)
    if resize_to is None:
        return _resized(whole, height, width)
    shown = Canvas(*covering(canvas, resize_to, resize_to), canvas.target)
    top, left = round((shown.height - height) / 2), round((shown.width - width) / 2)
    return _resized(whole, shown.height, shown.width).then(_window(shown, top, left, height, width, "constant"))


def _about_centre(canvas: Canvas, linear: list[list[float]], border: Border) -> Geometry:
    """A linear map about the centre of the canvas."""
    (a, b), (c, d) = linear
    x, y = canvas.width / 2, canvas.height / 2
    moved = matrix([[a, b, x - a * x - b * y], [c, d, y - c * x - d * y], [0, 0, 1]])
    return Geometry(moved, canvas.height, canvas.width, border)


def _window(canvas: Canvas, top: int, left: int, height: int, width: int, border: Border = "constant") -> Geometry:
    """A window of the picture; one that stays inside it has no border."""
    inside = top >= 0 and left >= 0 and top + height <= canvas.height and left + width <= canvas.width
    shift = matrix([[1, 0, -left], [0, 1, -top], [0, 0, 1]])
    return Geometry(shift, height, width, None if inside else border)


def _resized(geometry: Geometry, height: int, width: int) -> Geometry:
    """The same view on a canvas of another size."""
    stretch = np.diag([width / geometry.width, height / geometry.height, 1.0])
    return geometry.then(Geometry(stretch, height, width))


def _random_start(rng: np.random.Generator, length: int, window: int, padding: float) -> int:
    """Where a window begins on an axis: anywhere on the padded picture – or around it, where the window is longer."""
    margin = round(padding * length)
    ends = -margin, length + margin - window
    return int(rng.integers(min(ends), max(ends), endpoint=True))


def _central_box(canvas: Canvas, ratio: tuple[float, float]) -> tuple[int, int, int, int]:
    """The largest central window with an allowed shape."""
    aspect = min(max(canvas.width / canvas.height, ratio[0]), ratio[1])
    width = max(1, min(canvas.width, round(canvas.height * aspect)))
    height = max(1, min(canvas.height, round(canvas.width / aspect)))
    return (canvas.height - height) // 2, (canvas.width - width) // 2, height, width


def _homography(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The projective map that takes four points to four others."""
    rows, values = [], []
    for (x, y), (u, v) in zip(start, end, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.append(np.linalg.solve(matrix(rows), values), 1).reshape(3, 3)
