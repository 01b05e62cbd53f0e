"""Augmentations that say which part of a picture is seen, and how large."""

from __future__ import annotations

from typing import Literal

import numpy as np

from ftaug.image import augmentation
from ftaug.image.augmentations.transforms import (
    Border,
    Box,
    Canvas,
    Extent,
    Homography,
    Interpolation,
    Range,
    Share,
    ShareRange,
    box_of_shape,
    matrix,
)


@augmentation.register(severity={"padding": (0.0, 0.5)})
def random_crop(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    size: Extent = None,
    padding: Share = 0.0,
    border: Border = "constant",
) -> Homography:
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
    window = _window(canvas, (top, left, height, width), border).settling()
    return window.with_params(top=top, left=left)


@augmentation.register(severity={"scale": ((1.0, 1.0), (0.05, 1.0))})
def random_resized_crop(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    size: Extent = None,
    scale: ShareRange = (0.08, 1.0),
    ratio: Range = (3 / 4, 4 / 3),
    interpolation: Interpolation | None = None,
) -> Homography:
    """Cut out a window of random area, shape and place, and resize it.

    Settings:
        size: the result in pixels: a side, or [height, width]; default: what the model takes
        scale: the smallest and the largest area of the window, as shares of the picture's
        ratio: the smallest and the largest width/height of the window; log-uniform between them
        interpolation: bilinear, bicubic or nearest; as the weights expect unless set

    Szegedy et al. 2014; the same draws as torchvision's, with its fallback to the largest central window.
    """
    box = box_of_shape(rng, canvas, scale, ratio) or _central_box(canvas, ratio)
    top, left, height, width = box
    window = _window(canvas, box, seen_at=canvas.extent(size)).settling().by(interpolation)
    return window.with_params(top=top, left=left, height=height, width=width)


@augmentation.register
def center_crop(
    canvas: Canvas, rng: np.random.Generator, *, size: Extent = None, border: Border = "constant"
) -> Homography:
    """Cut out the central window, without resizing.

    Settings:
        size: the window in pixels: a side, or [height, width]; default: what the model takes
        border: outside a smaller picture: black (constant), its mirror image (reflect) or its edge (replicate);
            or zoom in until nothing of it shows (inside)
    """
    return _central(canvas, *canvas.extent(size), border).settling()


@augmentation.register
def resize(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    size: Extent = None,
    mode: Literal["shortest", "longest", "pad", "squash"] = "shortest",
    border: Border = "constant",
    interpolation: Interpolation | None = None,
) -> Homography:
    """Resize the picture; crops after it see the result.

    Settings:
        size: pixels: a side, or [height, width]; default: what the model takes
        mode: "shortest" keeps the proportions and just covers the size, "longest" keeps them and just fits into it,
            "pad" fits and fills up to the size, "squash" changes the proportions to fit it exactly
        border: what "pad" fills up with: black (constant), the picture's mirror image (reflect) or its edge (replicate)
        interpolation: bilinear, bicubic or nearest; as the weights expect unless set
    """
    height, width = canvas.extent(size)
    if mode == "squash":
        return _resized(canvas, height, width).settling().by(interpolation)
    shown = Canvas(*PROPORTIONATE[mode](canvas, height, width), canvas.target)
    resized = _resized(canvas, shown.height, shown.width)
    padded = resized.then(_central(shown, height, width, border)).settling() if mode == "pad" else resized
    return padded.by(interpolation)


def covering(canvas: Canvas, height: int, width: int) -> tuple[int, int]:
    """The smallest size with the picture's proportions that covers a window; the longer side is rounded down."""
    if canvas.height * width <= canvas.width * height:
        return height, max(width, canvas.width * height // canvas.height)
    return max(height, canvas.height * width // canvas.width), width


def fitting(canvas: Canvas, height: int, width: int) -> tuple[int, int]:
    """The largest size with the picture's proportions that fits into a window; the shorter side is rounded."""
    if canvas.height * width >= canvas.width * height:
        return height, max(1, round(canvas.width * height / canvas.height))
    return max(1, round(canvas.height * width / canvas.width)), width


PROPORTIONATE = {"shortest": covering, "longest": fitting, "pad": fitting}


def resized_centre(canvas: Canvas, height: int, width: int) -> Homography:
    """The picture resized, then its centre cut out as large as the model takes it; black around a smaller one."""
    shown = Canvas(height, width, canvas.target)
    return _resized(canvas, height, width).then(_central(shown, *canvas.target, "constant"))


def _window(
    canvas: Canvas, box: Box, border: Border = "constant", *, seen_at: tuple[int, int] | None = None
) -> Homography:
    """A window of the picture, perhaps at another size; one that stays inside the picture has no border."""
    top, left, height, width = box
    inside = top >= 0 and left >= 0 and top + height <= canvas.height and left + width <= canvas.width
    shown_height, shown_width = seen_at or (height, width)
    x, y = shown_width / width, shown_height / height
    shown = matrix([[x, 0, -left * x], [0, y, -top * y], [0, 0, 1]])
    return Homography(shown, shown_height, shown_width, None if inside else border)


def _central(canvas: Canvas, height: int, width: int, border: Border) -> Homography:
    """The central window of the picture."""
    top, left = round((canvas.height - height) / 2), round((canvas.width - width) / 2)
    return _window(canvas, (top, left, height, width), border)


def _resized(canvas: Canvas, height: int, width: int) -> Homography:
    """The whole picture at another size."""
    return _window(canvas, (0, 0, canvas.height, canvas.width), seen_at=(height, width))


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
