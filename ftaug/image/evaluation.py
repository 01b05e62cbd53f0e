"""Evaluation preprocessing of images: the resize and crop that the pretrained weights were evaluated with.

The image is decoded at full size, resized to the pixels of Pillow's antialiasing filter, rows before columns (Pillow 13
has another order for images that become wider and lower; ONNX and torch have this one), and cropped at whole pixels,
or padded. The sizes and offsets are those of torchvision's `Resize` and `CenterCrop` and of timm's `ResizeKeepRatio`
and `CenterCropOrPad`.

The keys of the preprocessing: `size`, [height, width] of the model's input; `resize`, the shorter side that the image
is resized to before the crop, or None for no crop; `interpolation`; `crop_mode`, which is

- center (the default): the aspect ratio is kept and the rest is cropped; without `resize` the
  image is squashed to `size`;
- squash: the aspect ratio is changed to that of `size`;
- border: the whole image is fitted in, and padded with the mean color.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ftaug.image.augmentations.crops import covering, resized_center
from ftaug.image.augmentations.transforms import Canvas, Draw, PixelFunction
from ftaug.image.io.picture import Picture
from ftaug.image.preprocessing import box_of
from ftaug.image.render.pillow_resize import resized_crop

LARGEST = 32
"""Largest area of all views, as a multiple of the model's input, that is resized as a whole; else each for itself."""


class Window(NamedTuple):
    """A crop of the resized image, and whether it is flipped horizontally."""

    top: int
    left: int
    mirrored: bool = False


class Axis(NamedTuple):
    """Where an axis of an image lies in the model's input; positions on both are shares of their length, 0 to 1."""

    scale: float  # position in the input = scale · position in the image + offset
    offset: float
    first: float  # the image is visible from here to `last` of the input; the rest is padding
    last: float


def evaluated(picture: Picture, preprocessing: Mapping[str, Any]) -> np.ndarray:
    """Preprocess an image for evaluation: uint8 (H, W, 3), or with test-time `views` uint8 (views, H, W, 3)."""
    full = resized_size(picture.height, picture.width, preprocessing)
    shown = _visible(full, preprocessing["size"])
    kind = preprocessing.get("views")
    crops = _crops(picture, full, _windows(full, shown, kind), shown, preprocessing)
    views = [_padded(crop, preprocessing) for crop in crops]
    return np.stack(views) if kind else views[0]


def resized_size(height: int, width: int, preprocessing: Mapping[str, Any]) -> tuple[int, int]:
    """Return the height and width to which an image is resized before the crop."""
    resize = preprocessing.get("resize")
    mode = preprocessing.get("crop_mode", "center")
    if mode == "center" and resize:
        return covering(Canvas(height, width, preprocessing["size"]), resize, resize)
    box_height, box_width = box_of(preprocessing)
    if mode != "border":
        return box_height, box_width
    ratio = max(height / box_height, width / box_width)
    return max(1, round(height / ratio)), max(1, round(width / ratio))


def input_axes(height: int, width: int, preprocessing: Mapping[str, Any]) -> tuple[Axis, Axis]:
    """Return how the rows and the columns of an image lie in the model's input."""
    full = resized_size(height, width, preprocessing)
    target = preprocessing["size"]
    shown = _visible(full, target)
    window = _windows(full, shown, None)[0]
    rows, columns = (
        Axis(resized / side, (before - start) / side, before / side, (before + visible) / side)
        for resized, start, before, visible, side in zip(
            full, (window.top, window.left), _padding(shown, target), shown, target, strict=True
        )
    )
    return rows, columns


def needs_padding(preprocessing: Mapping[str, Any]) -> bool:
    """Return whether a resized image may be smaller than the model's input."""
    mode, resize = preprocessing.get("crop_mode", "center"), preprocessing.get("resize")
    return mode == "border" or (bool(resize) and resize < max(preprocessing["size"]))


def padding_color(preprocessing: Mapping[str, Any]) -> list[int]:
    """Return the RGB padding color: the mean color in crop mode border, otherwise black."""
    if preprocessing.get("crop_mode") == "border":
        return [round(255 * mean) for mean in preprocessing["mean"]]
    return [0, 0, 0]


def fitted(canvas: Canvas, preprocessing: Mapping[str, Any]) -> list[Draw]:
    """Return the transforms that resize and crop a training image as in evaluation, in a single resampling."""
    height, width = resized_size(canvas.height, canvas.width, preprocessing)
    shown = _visible((height, width), canvas.target)
    if preprocessing.get("crop_mode") != "border" or shown == canvas.target:
        return [resized_center(canvas, height, width)]
    cropped = resized_center(canvas._replace(target=shown), height, width)
    return [cropped, PixelFunction(partial(_padded, preprocessing=preprocessing), canvas.target)]


def _visible(full: tuple[int, int], target: Sequence[int]) -> tuple[int, int]:
    """Return the height and width of the part of a resized image that fits into the model's input."""
    return min(full[0], target[0]), min(full[1], target[1])


def _windows(full: tuple[int, int], shown: tuple[int, int], kind: str | None) -> list[Window]:
    """Return the crops of all views, in the order of torchvision's `FiveCrop` and `TenCrop`."""
    bottom, right = full[0] - shown[0], full[1] - shown[1]
    corners = [Window(top, left) for top in (0, bottom) for left in (0, right)]
    center = Window(round(bottom / 2), round(right / 2))
    windows = [*corners, center] if kind in ("five_crop", "ten_crop") else [center]
    mirrored = [Window(top, right - left, True) for top, left, _ in windows]  # the same crops of the flipped image
    return [*windows, *mirrored] if kind in ("flip", "ten_crop") else windows


def _crops(
    picture: Picture,
    full: tuple[int, int],
    windows: Sequence[Window],
    shown: tuple[int, int],
    preprocessing: Mapping[str, Any],
) -> list[np.ndarray]:
    """Decode and resize an image, and cut out the views."""
    stored = picture.load(1)
    resized = partial(
        resized_crop,
        lambda rows, columns: picture.turn.crop(stored, rows, columns),
        (picture.height, picture.width),
        full,
        interpolation=preprocessing.get("interpolation", "bilinear"),
    )
    tops, lefts = {window.top for window in windows}, {window.left for window in windows}
    top, left = min(tops), min(lefts)
    height, width = max(tops) - top + shown[0], max(lefts) - left + shown[1]
    if height * width > LARGEST * math.prod(preprocessing["size"]):
        crops = [resized(_box(window.top, window.left, *shown)) for window in windows]
    else:
        whole = resized(_box(top, left, height, width))
        crops = [whole[_box(window.top - top, window.left - left, *shown)] for window in windows]
    return [
        np.ascontiguousarray(crop[:, ::-1] if window.mirrored else crop)
        for crop, window in zip(crops, windows, strict=True)
    ]


def _box(top: int, left: int, height: int, width: int) -> tuple[slice, slice]:
    return slice(top, top + height), slice(left, left + width)


def _padding(shown: Sequence[int], target: Sequence[int]) -> tuple[int, int]:
    """Return the number of padded rows above and of padded columns left of what is shown."""
    return (target[0] - shown[0]) // 2, (target[1] - shown[1]) // 2


def _padded(pixels: np.ndarray, preprocessing: Mapping[str, Any]) -> np.ndarray:
    """Pad the pixels on all sides to the size of the model's input."""
    height, width = preprocessing["size"]
    if pixels.shape[:2] == (height, width):
        return pixels
    padded = np.full((height, width, 3), padding_color(preprocessing), np.uint8)
    top, left = _padding(pixels.shape[:2], (height, width))
    padded[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return padded
