"""Show a picture through a geometry: the smallest JPEG decode that will do, one slice, one resampling."""

from __future__ import annotations

import math
from typing import Literal

import cv2
import numpy as np
from PIL import Image

from ftaug.image.augmentations.draws import Colour, Geometry
from ftaug.image.decode import Picture, Turn

Interpolation = Literal["bilinear", "bicubic", "nearest"]

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
}
SLACK = 1e-6


def render(picture: Picture, geometry: Geometry, colour: Colour | None, interpolation: Interpolation) -> np.ndarray:
    """The picture moved and recoloured, uint8 (H, W, 3). What is black outside of it keeps its black."""
    scale = _jpeg_scale(picture, geometry)
    pixels = picture.load(scale)
    matrix = geometry.matrix @ _upright(picture) @ np.diag([scale, scale, 1.0])
    matrix = matrix / matrix[2, 2]
    extent = _stored_size(picture)[0] / scale, _stored_size(picture)[1] / scale
    box = _seen(matrix, geometry)
    shows_border = box[0] < -SLACK or box[1] < -SLACK or box[2] > extent[1] + SLACK or box[3] > extent[0] + SLACK
    if not shows_border and _is_aligned(matrix):
        return recolour(_aligned(pixels, extent, matrix, geometry, interpolation), colour)
    if not shows_border or geometry.border != "constant" or colour is None:
        return recolour(_warped(pixels, box, matrix, geometry, interpolation, BORDERS[geometry.border]), colour)
    shown = _warped(pixels, box, matrix, geometry, interpolation, cv2.BORDER_REPLICATE)
    whole = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    inside = _warped(whole, box, matrix, geometry, "bilinear", cv2.BORDER_CONSTANT)
    return np.asarray(cv2.multiply(recolour(shown, colour, inside), cv2.merge([inside] * 3), scale=1 / 255))


def recolour(pixels: np.ndarray, colour: Colour | None, inside: np.ndarray | None = None) -> np.ndarray:
    """Apply a colour; the picture's mean is taken where `inside` is not 0."""
    if colour is None:
        return pixels
    linear, by_mean, constant = colour.matrix[:, :3], colour.matrix[:, 3:6], colour.matrix[:, 6]
    if by_mean.any():
        constant = constant + by_mean @ cv2.mean(pixels, mask=inside)[:3]
    return np.asarray(cv2.transform(pixels, np.column_stack([linear, constant])))


def _stored_size(picture: Picture) -> tuple[int, int]:
    size = picture.height, picture.width
    return size[::-1] if picture.turn.transpose else size


def _upright(picture: Picture) -> np.ndarray:
    """The matrix from stored points to upright ones."""
    matrix = np.eye(3)[[1, 0, 2]] if picture.turn.transpose else np.eye(3)
    if picture.turn.mirror_x:
        matrix = np.array([[-1, 0, picture.width], [0, 1, 0], [0, 0, 1]]) @ matrix
    if picture.turn.mirror_y:
        matrix = np.array([[1, 0, 0], [0, -1, picture.height], [0, 0, 1]]) @ matrix
    return matrix


def _jpeg_scale(picture: Picture, geometry: Geometry) -> int:
    """The n of the smallest decode 1/n that is nowhere coarser than the canvas."""
    if len(picture.scales) == 1:
        return 1
    corners = [(x, y) for x in (0, geometry.width) for y in (0, geometry.height)]
    finest = max(max(_magnification(geometry.matrix, corner)) for corner in corners)
    return max(n for n in picture.scales if n == 1 or n * finest <= 1 + SLACK)


def _magnification(matrix: np.ndarray, point: tuple[float, float]) -> tuple[float, float]:
    """Canvas pixels per picture pixel, along the picture's x and y, at a point of the canvas."""
    back = np.linalg.solve(matrix, [*point, 1.0])
    x, y, depth = matrix @ (back / back[2])
    jacobian = (matrix[:2, :2] - np.outer([x / depth, y / depth], matrix[2, :2])) / depth
    across, down = np.hypot(jacobian[0], jacobian[1])
    return float(across), float(down)


def _seen(matrix: np.ndarray, geometry: Geometry) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what the canvas shows of the plane that the picture lies in."""
    width, height = geometry.width, geometry.height
    corners = np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
    x, y, depth = np.linalg.solve(matrix, corners)
    if depth.min() <= SLACK * depth.max():  # the horizon is in view
        return -math.inf, -math.inf, math.inf, math.inf
    x, y = x / depth, y / depth
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _is_aligned(matrix: np.ndarray) -> bool:
    """Whether rows and columns of the picture stay rows and columns (or become columns and rows)."""
    shape = np.abs(matrix[:2, :2]) > 1e-9 * np.abs(matrix[:2, :2]).max()
    upright = shape[0, 0] and shape[1, 1] and not shape[0, 1] and not shape[1, 0]
    lying = shape[0, 1] and shape[1, 0] and not shape[0, 0] and not shape[1, 1]
    return bool((upright or lying) and not np.abs(matrix[2, :2]).any())


# Rows stay rows: crop, resize and mirror.


def _aligned(
    pixels: np.ndarray,
    extent: tuple[float, float],
    matrix: np.ndarray,
    geometry: Geometry,
    interpolation: Interpolation,
) -> np.ndarray:
    """Resize a slice, then turn the result."""
    height, width = geometry.height, geometry.width
    turn = Turn(bool(matrix[0, 0] == 0), bool(matrix[0, :2].sum() < 0), bool(matrix[1, :2].sum() < 0))
    if turn.mirror_x:
        matrix = np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1]]) @ matrix
    if turn.mirror_y:
        matrix = np.array([[1, 0, 0], [0, -1, height], [0, 0, 1]]) @ matrix
    if turn.transpose:
        matrix, height, width = matrix[[1, 0, 2]], width, height
    shown = _resampled(pixels, extent, matrix, height, width, interpolation)
    return np.ascontiguousarray(turn.apply(shown))


def _resampled(
    pixels: np.ndarray,
    extent: tuple[float, float],
    matrix: np.ndarray,
    height: int,
    width: int,
    interpolation: Interpolation,
) -> np.ndarray:
    """Crop and resize with Pillow's antialiased filter, by the quickest of three ways to the same pixels."""
    zoom, shift = matrix.diagonal()[:2], matrix[:2, 2]
    start, end = -shift / zoom, (np.array([width, height]) - shift) / zoom
    if _whole(start, end):
        (left, top), (right, bottom) = np.rint(start).astype(int), np.rint(end).astype(int)
        return resized(pixels[top:bottom, left:right], height, width, interpolation)
    full = zoom * extent[::-1]
    if _whole(extent, full, shift) and full.prod() <= 4 * height * width:
        (full_width, full_height), (left, top) = np.rint(full).astype(int), np.rint(-shift).astype(int)
        return resized(pixels, full_height, full_width, interpolation)[top : top + height, left : left + width]
    box = (*np.maximum(start, 0), *np.minimum(end, extent[::-1]))
    return np.asarray(Image.fromarray(pixels).resize((width, height), FILTERS[interpolation], box=box))


def _whole(*numbers: np.ndarray | tuple[float, float]) -> bool:
    values = np.concatenate(numbers)
    return bool(np.abs(values - np.rint(values)).max() < SLACK)


def resized(pixels: np.ndarray, height: int, width: int, interpolation: Interpolation) -> np.ndarray:
    """Resize with Pillow's antialiased filter, to within one grey level."""
    if pixels.shape[:2] == (height, width):
        return pixels.copy()
    if interpolation == "nearest":
        image = Image.fromarray(np.ascontiguousarray(pixels))
        return np.asarray(image.resize((width, height), Image.Resampling.NEAREST))
    if interpolation == "bilinear" and height >= pixels.shape[0] and width >= pixels.shape[1]:
        return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR))
    import torch
    from torch.nn.functional import interpolate

    batch = torch.from_numpy(pixels if pixels.flags.writeable else pixels.copy()).permute(2, 0, 1)[None]
    shrunk = interpolate(batch, (height, width), mode=interpolation, antialias=True, align_corners=False)
    return shrunk[0].permute(1, 2, 0).numpy()


# Rows do not stay rows: turn, slant, tilt – and whatever shows the outside of the picture.


def _warped(
    pixels: np.ndarray,
    box: tuple[float, float, float, float],
    matrix: np.ndarray,
    geometry: Geometry,
    interpolation: Interpolation,
    border: int,
) -> np.ndarray:
    """Shrink what is seen with a good filter as far as the canvas is coarser, then warp."""
    across, down = _magnification(matrix, (geometry.width / 2, geometry.height / 2))
    left, right = _slice(box[0], box[2], pixels.shape[1], across, border)
    top, bottom = _slice(box[1], box[3], pixels.shape[0], down, border)
    seen = pixels[top:bottom, left:right]
    matrix = matrix @ np.array([[1, 0, left], [0, 1, top], [0, 0, 1]])
    height, width = math.ceil(seen.shape[0] * min(1, down)), math.ceil(seen.shape[1] * min(1, across))
    matrix = matrix @ np.diag([seen.shape[1] / width, seen.shape[0] / height, 1])
    if seen.shape[:2] != (height, width):
        seen = resized(seen, height, width, interpolation)
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    matrix = np.linalg.inv(half) @ matrix @ half  # OpenCV's points are the centres of pixels
    size = geometry.width, geometry.height
    if np.abs(matrix[2, :2]).max() < 1e-12:
        warped = cv2.warpAffine(seen, matrix[:2], size, flags=WARPS[interpolation], borderMode=border)
    else:
        warped = cv2.warpPerspective(seen, matrix, size, flags=WARPS[interpolation], borderMode=border)
    return np.asarray(warped)


def _slice(start: float, end: float, length: int, magnification: float, border: int) -> tuple[int, int]:
    """The pixels of an axis that are needed: those seen and their neighbours; all, where they are mirrored."""
    margin = 3 + 2 / magnification
    if border == cv2.BORDER_REFLECT_101 and (start < 0 or end > length):
        return 0, length
    first = min(max(start - margin, 0), length - 1)
    return math.floor(first), max(math.floor(first) + 1, math.ceil(max(min(end + margin, length), 1)))
