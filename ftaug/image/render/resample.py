"""Resample an image through a homography: smallest sufficient JPEG decode, one crop, one resize or warp.

What is to be read is computed first; the pixels are a function to be called later.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image

from ftaug.image.augmentations.border_inside import kept_inside
from ftaug.image.augmentations.transforms import ColorMatrix, Homography, Interpolation, LookupTable
from ftaug.image.io.picture import Picture, Turn
from ftaug.image.render.color import recolored

FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "nearest": Image.Resampling.NEAREST,
}
WARPS = {"bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC, "nearest": cv2.INTER_NEAREST}
BORDERS = {
    None: cv2.BORDER_REPLICATE,
    "constant": cv2.BORDER_CONSTANT,
    "reflect": cv2.BORDER_REFLECT_101,
    "replicate": cv2.BORDER_REPLICATE,
    "inside": cv2.BORDER_REPLICATE,
}
NO_HALF = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
Pixels = Callable[[], np.ndarray]
"""A function that decodes a picture and returns what is wanted of it: uint8 (H, W, 3)."""

UPRIGHT = Turn()
SLACK = 1e-6
COARSEST = 0.55
"""Smallest scale of a bilinear warp: down to it, a warp of photos is closer to the ideal than Pillow's filter."""
SOFTEST = 2
"""Largest zoom at which an image fades into the black outside without upsampling: half a source pixel is soft."""
MOST_GROWN = 2
"""Limit of upsampling, relative to the canvas: in perspective, the zoom can be large in a single corner."""


class View(NamedTuple):
    """Stored pixels and their mapping to the output canvas."""

    top: Callable[[int], np.ndarray]  # rows -> at least so many first ones of these pixels, uint8 (rows or more, W, 3)
    shape: tuple[int, int]  # how many rows and columns there are
    extent: tuple[float, float]  # height and width of the picture in them; the last row or column may be part of one
    matrix: np.ndarray  # from stored points to those of the canvas
    zoom: tuple[float, float]  # canvas pixels per stored pixel along the stored x and y, where they are most
    canvas: Homography


class Unwarped(NamedTuple):
    """The part of an image that the canvas shows, before the last resampling, not decoded yet."""

    read: Pixels  # uint8 (H, W, 3); the canvas itself, where no resampling is left
    matrix: np.ndarray | None  # float64 (3, 3), from the centers of these pixels to those of the canvas
    border: str | None
    shows_border: bool


def rendering(
    picture: Picture, geometry: Homography, colors: Sequence[ColorMatrix | LookupTable], interpolation: Interpolation
) -> Pixels:
    """Return a function that decodes a picture, warps it and applies color transforms: uint8 (H, W, 3), new memory.

    The black outside stays black.
    """
    interpolation = geometry.interpolation or interpolation
    source = unwarped(picture, geometry, interpolation)
    if source.matrix is None:
        return (lambda: recolored(source.read(), colors)) if colors else source.read
    return partial(_warped_and_recolored, source, source.matrix, geometry, colors, interpolation)


def _warped_and_recolored(
    source: Unwarped,
    matrix: np.ndarray,
    canvas: Homography,
    colors: Sequence[ColorMatrix | LookupTable],
    interpolation: Interpolation,
) -> np.ndarray:
    warped = _warped(source.read(), matrix, canvas, interpolation)
    pixels = np.asarray(cv2.cvtColor(warped, cv2.COLOR_RGBA2RGB))
    if not (colors and source.shows_border and canvas.border == "constant"):
        return recolored(pixels, colors)
    wholly_shown = warped.view("<u4")[..., 0] >= 255 << 24  # alpha is the last byte: a third of the time of OpenCV's
    return recolored(pixels, colors, wholly_shown.view(np.uint8))


def unwarped(picture: Picture, geometry: Homography, interpolation: Interpolation) -> Unwarped:
    """Choose the part of a picture that is visible, and its size before the warp: smaller where a warp would alias."""
    if geometry.border == "inside":
        geometry = kept_inside(geometry, picture.height, picture.width)
    view = _view(picture, geometry)
    visible = _visible_box(view)
    shows_border = (
        min(visible[:2]) < -SLACK or visible[2] > view.extent[1] + SLACK or visible[3] > view.extent[0] + SLACK
    )
    if _is_aligned(view.matrix) and not shows_border:
        return Unwarped(_aligned(view, interpolation), None, geometry.border, False)
    fades = shows_border and geometry.border == "constant" and interpolation != "nearest"
    return Unwarped(*_source(view, visible, interpolation, fades), geometry.border, shows_border)


def _view(picture: Picture, geometry: Homography) -> View:
    """Return a view of the picture at the coarsest decode scale that is fine enough for the canvas."""
    zoom = _zoom(geometry)
    scale = _coarsest(picture, zoom)
    height, width, matrix = picture.height / scale, picture.width / scale, geometry.matrix
    if scale > 1:
        matrix = matrix * [scale, scale, 1]
    if picture.turn != UPRIGHT:
        matrix = matrix @ picture.turn.matrix(height, width)
    if picture.turn.transpose:
        height, width, zoom = width, height, zoom[::-1]
    shape = math.ceil(height), math.ceil(width)
    zoom = zoom[0] * scale, zoom[1] * scale
    return View(partial(picture.top, scale), shape, (height, width), matrix, zoom, geometry)


def scale_of(picture: Picture, geometry: Homography) -> int:
    """Return the largest decode scale n (1/n of the full size) that is still as fine as the canvas."""
    return _coarsest(picture, _zoom(geometry))


def _coarsest(picture: Picture, zoom: tuple[float, float]) -> int:
    if len(picture.scales) == 1:
        return 1
    finest = max(zoom)
    return max(n for n in picture.scales if n == 1 or n * finest <= 1 + SLACK)


def _zoom(geometry: Homography) -> tuple[float, float]:
    """Return canvas pixels per image pixel along x and y: the largest at the corners of the canvas."""
    matrix = geometry.matrix
    (a, b, _), (c, d, _), (e, f, g) = matrix.tolist()
    if e == 0 == f:
        return math.hypot(a, c) / abs(g), math.hypot(b, d) / abs(g)
    x, y = _corners(geometry)[:2]
    depth = 1 / (_inverse(matrix)[2] @ _corners(geometry))
    along_x = matrix[0, :2, None] - matrix[2, :2, None] * x
    along_y = matrix[1, :2, None] - matrix[2, :2, None] * y
    across, down = np.max(np.hypot(along_x, along_y) / np.abs(depth), axis=1)
    return float(across), float(down)


def _corners(geometry: Homography) -> np.ndarray:
    width, height = geometry.width, geometry.height
    return np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]], np.float64)


def _visible_box(view: View) -> tuple[float, float, float, float]:
    """Return the bounding box (left, top, right, bottom) of the canvas in stored coordinates."""
    inverse = _inverse(view.matrix)
    if _is_affine(view.matrix):
        (a, b, x), (c, d, y), _ = inverse.tolist()
        left, right = sorted((0, a * view.canvas.width))
        up, down = sorted((0, b * view.canvas.height))
        west, east = sorted((0, c * view.canvas.width))
        top, bottom = sorted((0, d * view.canvas.height))
        return x + left + up, y + west + top, x + right + down, y + east + bottom
    xs, ys, depth = inverse @ _corners(view.canvas)
    if depth.min() <= SLACK * depth.max():  # the horizon is in view
        return -math.inf, -math.inf, math.inf, math.inf
    xs, ys = xs / depth, ys / depth
    return float(xs.min()), float(ys.min()), float(xs.max()), float(ys.max())


def _inverse(matrix: np.ndarray) -> np.ndarray:
    """Invert a 3×3 matrix; OpenCV is ten times as fast as numpy here."""
    return np.asarray(cv2.invert(matrix)[1])


def _is_affine(matrix: np.ndarray) -> bool:
    return bool(matrix[2, 0] == 0 == matrix[2, 1])


def _is_aligned(matrix: np.ndarray) -> bool:
    """Return whether the map is axis-aligned: rows stay rows, or are swapped with columns."""
    (a, b, _), (c, d, _), _ = matrix.tolist()
    tiny = 1e-9 * max(abs(a), abs(b), abs(c), abs(d))
    return _is_affine(matrix) and (max(abs(b), abs(c)) < tiny or max(abs(a), abs(d)) < tiny)


# Rows stay rows: crop, resize and mirror.


def _aligned(view: View, interpolation: Interpolation) -> Pixels:
    """Return a function that crops and resizes, then flips or transposes the result."""
    height, width = view.canvas.height, view.canvas.width
    (a, b, x), (c, d, y), _ = view.matrix.tolist()
    turn = Turn(abs(b) > abs(a), a + b < 0, c + d < 0)
    if turn.mirror_x:
        a, b, x = -a, -b, width - x
    if turn.mirror_y:
        c, d, y = -c, -d, height - y
    if turn.transpose:
        height, width, a, d, x, y = width, height, c, b, y, x
    resampled = _resampled(view, (a, d), (x, y), (height, width), interpolation)
    return resampled if turn == UPRIGHT else lambda: turn.apply_in_place(resampled())


def _resampled(
    view: View,
    zoom: tuple[float, float],
    shift: tuple[float, float],
    size: tuple[int, int],
    interpolation: Interpolation,
) -> Pixels:
    """Return a function that crops and resizes with Pillow's filter, by the fastest of three equivalent methods."""
    height, width = size
    left, top = -shift[0] / zoom[0], -shift[1] / zoom[1]
    right, bottom = (width - shift[0]) / zoom[0], (height - shift[1]) / zoom[1]
    if _are_whole(left, top, right, bottom):
        rows, columns = slice(round(top), round(bottom)), slice(round(left), round(right))
        return lambda: resized(view.top(rows.stop)[rows, columns], height, width, interpolation)
    full_height, full_width = zoom[1] * view.extent[0], zoom[0] * view.extent[1]
    whole = _are_whole(*view.extent, full_height, full_width, *shift)
    if whole and full_height * full_width <= 4 * height * width:
        rows, columns = (
            slice(-round(shift[1]), height - round(shift[1])),
            slice(-round(shift[0]), width - round(shift[0])),
        )
        size = round(full_height), round(full_width)
        return lambda: resized(view.top(view.shape[0]), *size, interpolation)[rows, columns].copy()
    first_column, last_column = _needed(left, right, view.shape[1], zoom[0], None)
    first_row, last_row = _needed(top, bottom, view.shape[0], zoom[1], None)
    box = max(left, 0.0), max(top, 0.0), min(right, view.extent[1]), min(bottom, view.extent[0])
    box = box[0] - first_column, box[1] - first_row, box[2] - first_column, box[3] - first_row

    def by_pillow() -> np.ndarray:
        image = Image.fromarray(view.top(last_row)[first_row:last_row, first_column:last_column])
        return np.array(image.resize((width, height), FILTERS[interpolation], box=box))

    return by_pillow


def _are_whole(*numbers: float) -> bool:
    return all(abs(number - round(number)) < SLACK for number in numbers)


def resized(pixels: np.ndarray, height: int, width: int, interpolation: Interpolation) -> np.ndarray:
    """Resize with antialiasing, within one gray level of Pillow; new memory."""
    if pixels.shape[:2] == (height, width):
        return pixels.copy()
    if interpolation == "nearest":
        image = Image.fromarray(np.ascontiguousarray(pixels))
        return np.array(image.resize((width, height), Image.Resampling.NEAREST))
    if interpolation == "bilinear" and height >= pixels.shape[0] and width >= pixels.shape[1]:
        return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR))
    return _antialiased(pixels, height, width, interpolation)


def _antialiased(pixels: np.ndarray, height: int, width: int, interpolation: Interpolation) -> np.ndarray:
    """Resize by torch, which has Pillow's filter in a quarter of its time, but only for contiguous pixels."""
    torch, interpolate = _torch()
    if not (pixels.flags.c_contiguous and pixels.flags.writeable):
        pixels = pixels.copy()  # a third of the time in which torch copies them
    batch = torch.from_numpy(pixels.reshape(1, *pixels.shape).transpose(0, 3, 1, 2))
    shrunk = interpolate(batch, (height, width), mode=interpolation, antialias=True, align_corners=False)
    return np.asarray(shrunk.numpy()[0].transpose(1, 2, 0))


@cache
def _torch() -> tuple[Any, Callable[..., Any]]:
    """Import torch once and only here: two import statements in a function take 10 µs after each decoded image."""
    import torch
    from torch.nn.functional import interpolate

    return torch, interpolate


# Rows do not stay rows: turn, slant, tilt – and whatever shows the outside of the picture.


def _source(
    view: View, visible: tuple[float, float, float, float], interpolation: Interpolation, fades: bool
) -> tuple[Pixels, np.ndarray]:
    """Return a function for the pixels of a warp, downscaled where the canvas is coarser, and their matrix to it.

    If the image fades into the black outside and is much coarser than the canvas, it is upsampled first: its
    edge is then as sharp as the canvas, and the image equals that of evaluation, where nothing fades.
    """
    border = view.canvas.border
    left, right = _needed(visible[0], visible[2], view.shape[1], view.zoom[0], border)
    top, bottom = _needed(visible[1], visible[3], view.shape[0], view.zoom[1], border)
    before_width, before_height = right - left, bottom - top
    width = _resized_length(before_width, view.zoom[0], view.canvas.width, fades)
    height = _resized_length(before_height, view.zoom[1], view.canvas.height, fades)
    grown_x, grown_y = before_width / width, before_height / height
    placed = np.array([[grown_x, 0, left + grown_x / 2], [0, grown_y, top + grown_y / 2], [0, 0, 1]])

    def read() -> np.ndarray:
        pixels = view.top(bottom)[top:bottom, left:right]
        return pixels if pixels.shape[:2] == (height, width) else resized(pixels, height, width, interpolation)

    return read, NO_HALF @ view.matrix @ placed


def _resized_length(length: int, zoom: float, canvas: int, fades: bool) -> int:
    """Return the length of an axis, in pixels, before the warp."""
    if fades and zoom > SOFTEST:
        return max(length, min(math.ceil(length * zoom), MOST_GROWN * canvas))
    return math.ceil(length * min(1, zoom / COARSEST))


def _warped(pixels: np.ndarray, matrix: np.ndarray, canvas: Homography, interpolation: Interpolation) -> np.ndarray:
    """Warp to RGBA, where alpha is the coverage by the image: uint8 (H, W, 4)."""
    four = cv2.cvtColor(pixels, cv2.COLOR_RGB2RGBA)  # warped in half the time of three channels
    size, flags, outside = (canvas.width, canvas.height), WARPS[interpolation], BORDERS[canvas.border]
    if _is_affine(matrix):
        return np.asarray(cv2.warpAffine(four, matrix[:2], size, flags=flags, borderMode=outside))
    return np.asarray(cv2.warpPerspective(four, matrix, size, flags=flags, borderMode=outside))


def _needed(start: float, end: float, length: int, zoom: float, border: str | None) -> tuple[int, int]:
    """Return the range of pixels needed on an axis: the visible ones and their neighbors; all if reflected."""
    if border == "reflect" and (start < 0 or end > length):
        return 0, length
    margin = 3 + 2 / zoom
    first = math.floor(min(max(start - margin, 0), length - 1))
    return first, max(first + 1, math.ceil(min(max(end + margin, 1), length)))
