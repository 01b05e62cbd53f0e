"""What evaluation sees of a picture: the pixels of the transform that comes with the weights.

The picture is decoded at full size, resized with an antialiasing filter, and cropped at whole pixels, or padded. The
sizes and offsets are those of torchvision's `Resize` and `CenterCrop` and of timm's `ResizeKeepRatio` and
`CenterCropOrPad`.

The keys of the preprocessing: `size`, [height, width] of the model's input; `resize`, the shorter side that the picture
is resized to before the crop, or None for no crop; `interpolation`; `crop_mode`, which is

- center (also where the key is missing): the proportions are kept and the rest is cropped; without `resize` the
  picture is squashed to `size`;
- squash: the proportions are changed to those of `size`;
- border: the whole picture is fitted in, and padded with the mean color.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ftaug.image.augmentations.crops import covering, resized_centre
from ftaug.image.augmentations.draws import Canvas, Draw, Pixels
from ftaug.image.picture import Picture
from ftaug.image.resample import FILTERS, resized

LARGEST = 4
"""How many times the model's input a resized picture may be; of a longer one only the windows are resized."""

Part = Callable[[slice, slice], np.ndarray]
"""Rows and columns of a resized picture -> uint8 (H, W, 3)."""


class Window(NamedTuple):
    """A window of the resized picture, and whether what it shows is mirrored."""

    top: int
    left: int
    mirrored: bool = False


def evaluated(picture: Picture, preprocessing: Mapping[str, Any]) -> np.ndarray:
    """Return the model's input, uint8 (H, W, 3), or with `views` all of them, uint8 (views, H, W, 3)."""
    full = resized_size(picture.height, picture.width, preprocessing)
    shown = _visible(full, preprocessing["size"])
    part = _resized(picture, full, preprocessing)
    kind = preprocessing.get("views")
    seen = [_padded(_cut(part, window, shown), preprocessing) for window in _windows(full, shown, kind)]
    return np.stack(seen) if kind else seen[0]


def resized_size(height: int, width: int, preprocessing: Mapping[str, Any]) -> tuple[int, int]:
    """Height and width to which a picture is resized before the crop."""
    target_height, target_width = preprocessing["size"]
    resize = preprocessing.get("resize")
    mode = preprocessing.get("crop_mode", "center")
    if mode == "center":
        canvas = Canvas(height, width, (target_height, target_width))
        return covering(canvas, resize, resize) if resize else (target_height, target_width)
    shorter = min(target_height, target_width)
    box_height, box_width = (side * (resize or shorter) // shorter for side in (target_height, target_width))
    if mode == "squash":
        return box_height, box_width
    ratio = max(height / box_height, width / box_width)
    return max(1, round(height / ratio)), max(1, round(width / ratio))


def fitted(canvas: Canvas, preprocessing: Mapping[str, Any]) -> list[Draw]:
    """The draws that bring a training picture to the model's input: as in evaluation, but in one resampling."""
    height, width = resized_size(canvas.height, canvas.width, preprocessing)
    shown = _visible((height, width), canvas.target)
    if preprocessing.get("crop_mode") != "border" or shown == canvas.target:
        return [resized_centre(canvas, height, width)]
    cropped = resized_centre(canvas._replace(target=shown), height, width)
    return [cropped, Pixels(partial(_padded, preprocessing=preprocessing), canvas.target)]


def _visible(full: tuple[int, int], target: Sequence[int]) -> tuple[int, int]:
    """Height and width of what the model's input shows of a picture resized to `full`."""
    return min(full[0], target[0]), min(full[1], target[1])


def _windows(full: tuple[int, int], shown: tuple[int, int], kind: str | None) -> list[Window]:
    """Where the views lie in the resized picture, in the order of torchvision's `FiveCrop` and `TenCrop`."""
    bottom, right = full[0] - shown[0], full[1] - shown[1]
    corners = [Window(top, left) for top in (0, bottom) for left in (0, right)]
    center = Window(round(bottom / 2), round(right / 2))
    windows = [*corners, center] if kind in ("five_crop", "ten_crop") else [center]
    mirrored = [Window(top, right - left, True) for top, left, _ in windows]  # the same windows of the mirrored picture
    return [*windows, *mirrored] if kind in ("flip", "ten_crop") else windows


def _resized(picture: Picture, size: tuple[int, int], preprocessing: Mapping[str, Any]) -> Part:
    """The whole picture resized, from its full decode."""
    height, width = size
    target_height, target_width = preprocessing["size"]
    interpolation = preprocessing.get("interpolation", "bilinear")
    stored = picture.load(1)
    if height * width <= LARGEST * target_height * target_width:
        turned = (width, height) if picture.turn.transpose else (height, width)
        whole = picture.turn.apply(resized(stored, *turned, interpolation))
        return lambda rows, columns: whole[rows, columns]
    image = Image.fromarray(picture.turn.apply(stored))
    x, y = picture.width / width, picture.height / height

    def part(rows: slice, columns: slice) -> np.ndarray:
        shape = columns.stop - columns.start, rows.stop - rows.start
        box = columns.start * x, rows.start * y, columns.stop * x, rows.stop * y
        return np.asarray(image.resize(shape, FILTERS[interpolation], box))

    return part


def _cut(part: Part, window: Window, shown: tuple[int, int]) -> np.ndarray:
    pixels = part(slice(window.top, window.top + shown[0]), slice(window.left, window.left + shown[1]))
    return np.ascontiguousarray(pixels[:, ::-1] if window.mirrored else pixels)


def _padded(pixels: np.ndarray, preprocessing: Mapping[str, Any]) -> np.ndarray:
    """The pixels in the middle of the model's input: around them the mean color in mode border, else black."""
    height, width = preprocessing["size"]
    if pixels.shape[:2] == (height, width):
        return pixels
    color = [round(255 * mean) for mean in preprocessing["mean"]] if preprocessing.get("crop_mode") == "border" else 0
    padded = np.full((height, width, 3), color, np.uint8)
    top, left = (height - pixels.shape[0]) // 2, (width - pixels.shape[1]) // 2
    padded[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return padded
