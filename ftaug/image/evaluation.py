"""What evaluation sees of a picture: the pixels of the transform that comes with the weights.

The picture is decoded at full size, resized with Pillow's antialiasing filter, its rows before its columns (Pillow 13
has another order for pictures that become wider and lower; ONNX and torch have this one), and cropped at whole pixels,
or padded. The sizes and offsets are those of torchvision's `Resize` and `CenterCrop` and of timm's `ResizeKeepRatio`
and `CenterCropOrPad`.

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
from ftaug.image.augmentations.transforms import Canvas, Draw, PixelFunction
from ftaug.image.io.picture import Picture
from ftaug.image.preprocessing import box_of
from ftaug.image.render.resample import FILTERS

LARGEST = 32
"""How many times the model's input a resized picture may be; of a longer one only the windows are resized.

Their edges are float32 in Pillow, so a few of their pixels are a grey level off.
"""

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
    resize = preprocessing.get("resize")
    mode = preprocessing.get("crop_mode", "center")
    if mode == "center" and resize:
        return covering(Canvas(height, width, preprocessing["size"]), resize, resize)
    box_height, box_width = box_of(preprocessing)
    if mode != "border":
        return box_height, box_width
    ratio = max(height / box_height, width / box_width)
    return max(1, round(height / ratio)), max(1, round(width / ratio))


def needs_padding(preprocessing: Mapping[str, Any]) -> bool:
    """Whether a resized picture may be smaller than the model's input."""
    mode, resize = preprocessing.get("crop_mode", "center"), preprocessing.get("resize")
    return mode == "border" or (bool(resize) and resize < max(preprocessing["size"]))


def padding_color(preprocessing: Mapping[str, Any]) -> list[int]:
    """What goes around a picture that is smaller than the model's input: the mean color in mode border, else black."""
    if preprocessing.get("crop_mode") == "border":
        return [round(255 * mean) for mean in preprocessing["mean"]]
    return [0, 0, 0]


def fitted(canvas: Canvas, preprocessing: Mapping[str, Any]) -> list[Draw]:
    """The draws that bring a training picture to the model's input: as in evaluation, but in one resampling."""
    height, width = resized_size(canvas.height, canvas.width, preprocessing)
    shown = _visible((height, width), canvas.target)
    if preprocessing.get("crop_mode") != "border" or shown == canvas.target:
        return [resized_centre(canvas, height, width)]
    cropped = resized_centre(canvas._replace(target=shown), height, width)
    return [cropped, PixelFunction(partial(_padded, preprocessing=preprocessing), canvas.target)]


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
    image = Image.fromarray(picture.turn.apply(picture.load(1)))
    filter = FILTERS[preprocessing.get("interpolation", "bilinear")]
    if height * width <= LARGEST * target_height * target_width:
        whole = np.asarray(image.resize((width, image.height), filter).resize((width, height), filter))
        return lambda rows, columns: whole[rows, columns]
    x, y = image.width / width, image.height / height

    def part(rows: slice, columns: slice) -> np.ndarray:
        shown_height, shown_width = rows.stop - rows.start, columns.stop - columns.start
        across = columns.start * x, 0, columns.stop * x, image.height
        down = 0, rows.start * y, shown_width, rows.stop * y
        band = image.resize((shown_width, image.height), filter, across)
        return np.asarray(band.resize((shown_width, shown_height), filter, down))

    return part


def _cut(part: Part, window: Window, shown: tuple[int, int]) -> np.ndarray:
    pixels = part(slice(window.top, window.top + shown[0]), slice(window.left, window.left + shown[1]))
    return np.ascontiguousarray(pixels[:, ::-1] if window.mirrored else pixels)


def _padded(pixels: np.ndarray, preprocessing: Mapping[str, Any]) -> np.ndarray:
    """The pixels in the middle of the model's input."""
    height, width = preprocessing["size"]
    if pixels.shape[:2] == (height, width):
        return pixels
    padded = np.full((height, width, 3), padding_color(preprocessing), np.uint8)
    top, left = (height - pixels.shape[0]) // 2, (width - pixels.shape[1]) // 2
    padded[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
    return padded
