"""Crop and resize augmentations: random crop, random resized crop, center crop, resize."""

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
    OpInterpolation,
    OutputSize,
    Range,
    Share,
    WindowArea,
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
    """Crop a window at a random place, without resizing.

    Settings:
        size: the window in pixels: a side, or [height, width]; default: what the model takes
        padding: how far the window may reach beyond the picture, as a share of its width and height
    """
    height, width = canvas.extent(size)
    top = _random_start(rng, canvas.height, height, padding)
    left = _random_start(rng, canvas.width, width, padding)
    window = _window(canvas, (top, left, height, width), border).with_fixed_size()
    return window.with_params(top=top, left=left)


@augmentation.register(severity={"scale": ((1.0, 1.0), (0.05, 1.0))}, standard=True)
def random_resized_crop(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    size: OutputSize = None,
    scale: WindowArea = (0.08, 1.0),
    ratio: Range = (3 / 4, 4 / 3),
    interpolation: OpInterpolation = None,
) -> Homography:
    """Crop a window of random area, aspect ratio and place, and resize it.

    Settings:
        ratio: the smallest and the largest width/height of the window; log-uniform between them

    Szegedy et al. 2014; the same draws as torchvision's, with its fallback to the largest central window.
    """
    box = box_of_shape(rng, canvas, scale, ratio) or _central_box(canvas, ratio)
    top, left, height, width = box
    window = _window(canvas, box, seen_at=canvas.extent(size)).with_fixed_size().by(interpolation)
    return window.with_params(top=top, left=left, height=height, width=width)


@augmentation.register
def center_crop(
    canvas: Canvas, rng: np.random.Generator, *, size: Extent = None, border: Border = "constant"
) -> Homography:
    """Crop the central window, without resizing.

    Settings:
        size: the window in pixels: a side, or [height, width]; default: what the model takes
        border: outside a smaller picture: black (constant), its mirror image (reflect) or its edge (replicate);
            or zoom in until nothing of it shows (inside)
    """
    return _central(canvas, *canvas.extent(size), border).with_fixed_size()


@augmentation.register
def resize(
    canvas: Canvas,
    rng: np.random.Generator,
    *,
    size: Extent = None,
    mode: Literal["shortest", "longest", "pad", "squash"] = "shortest",
    border: Border = "constant",
    interpolation: OpInterpolation = None,
) -> Homography:
    """Resize the picture; crops after it see the result.

    Settings:
        size: pixels: a side, or [height, width]; default: what the model takes
        mode: "shortest" keeps the proportions and just covers the size, "longest" keeps them and just fits into it,
            "pad" fits and fills up to the size, "squash" changes the proportions to fit it exactly
        border: what "pad" fills up with: black (constant), the picture's mirror image (reflect) or its edge (replicate)
    """
    height, width = canvas.extent(size)
    if mode == "squash":
        return _resized(canvas, height, width).with_fixed_size().by(interpolation)
    shown = Canvas(*PROPORTIONATE[mode](canvas, height, width), canvas.target)
    resized = _resized(canvas, shown.height, shown.width)
    padded = resized.then(_central(shown, height, width, border)).with_fixed_size() if mode == "pad" else resized
    return padded.by(interpolation)


def covering(canvas: Canvas, height: int, width: int) -> tuple[int, int]:
    """Return the smallest size of the image's aspect ratio that covers a window; the longer side is rounded down."""
    if canvas.height * width <= canvas.width * height:
        return height, max(width, canvas.width * height // canvas.height)
    return max(height, canvas.height * width // canvas.width), width


def fitting(canvas: Canvas, height: int, width: int) -> tuple[int, int]:
    """Return the largest size of the image's aspect ratio that fits into a window; the shorter side is rounded."""
    if canvas.height * width >= canvas.width * height:
        return height, max(1, round(canvas.width * height / canvas.height))
    return max(1, round(canvas.height * width / canvas.width)), width


PROPORTIONATE = {"shortest": covering, "longest": fitting, "pad": fitting}


def resized_center(canvas: Canvas, height: int, width: int) -> Homography:
    """Resize, then center-crop to the model's input; pad with black where the image is smaller."""
    shown = Canvas(height, width, canvas.target)
    return _resized(canvas, height, width).then(_central(shown, *canvas.target, "constant"))


def _window(
    canvas: Canvas, box: Box, border: Border = "constant", *, seen_at: tuple[int, int] | None = None
) -> Homography:
    """Crop a box and resize it to `seen_at`; a box inside the image needs no border."""
    top, left, height, width = box
    inside = top >= 0 and left >= 0 and top + height <= canvas.height and left + width <= canvas.width
    shown_height, shown_width = seen_at or (height, width)
    x, y = shown_width / width, shown_height / height
    shown = matrix([[x, 0, -left * x], [0, y, -top * y], [0, 0, 1]])
    return Homography(shown, shown_height, shown_width, None if inside else border)


def _central(canvas: Canvas, height: int, width: int, border: Border) -> Homography:
    """Crop the central window."""
    top, left = round((canvas.height - height) / 2), round((canvas.width - width) / 2)
    return _window(canvas, (top, left, height, width), border)


def _resized(canvas: Canvas, height: int, width: int) -> Homography:
    """Resize the whole image."""
    return _window(canvas, (0, 0, canvas.height, canvas.width), seen_at=(height, width))


def _random_start(rng: np.random.Generator, length: int, window: int, padding: float) -> int:
    """Draw the start of a window on an axis of the padded image, or of the image in a window that is longer."""
    margin = round(padding * length)
    ends = -margin, length + margin - window
    return int(rng.integers(min(ends), max(ends), endpoint=True))


def _central_box(canvas: Canvas, ratio: tuple[float, float]) -> tuple[int, int, int, int]:
    """Return the largest central box with an allowed aspect ratio: (top, left, height, width)."""
    aspect = min(max(canvas.width / canvas.height, ratio[0]), ratio[1])
    width = max(1, min(canvas.width, round(canvas.height * aspect)))
    height = max(1, min(canvas.height, round(canvas.width / aspect)))
    return (canvas.height - height) // 2, (canvas.width - width) // 2, height, width
