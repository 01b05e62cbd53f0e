"""Lazily decoded images: upright size, orientation, and a function that loads the pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from ftaug.errors import BadData

MAX_PIXELS = 50_000_000

cv2.setNumThreads(0)  # parallelism comes from the worker processes


class Turn(NamedTuple):
    """EXIF orientation: transpose, then flip, to make stored pixels upright."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Apply the orientation to an array (H, W, 3)."""
        return self._mirrored(np.asarray(cv2.transpose(pixels)) if self.transpose else pixels)

    def apply_in_place(self, pixels: np.ndarray) -> np.ndarray:
        """Apply the orientation as `apply` does, overwriting the pixels, and return the result."""
        pixels = np.asarray(cv2.transpose(pixels)) if self.transpose else pixels
        return self._mirrored(pixels, pixels)

    def _mirrored(self, pixels: np.ndarray, result: np.ndarray | None = None) -> np.ndarray:
        if not (self.mirror_x or self.mirror_y):
            return pixels
        both = self.mirror_x and self.mirror_y
        return np.asarray(cv2.flip(pixels, -1 if both else int(self.mirror_x), result))

    def crop(self, pixels: np.ndarray, rows: slice, columns: slice) -> np.ndarray:
        """Return rows and columns of the upright image from all stored pixels."""
        height, width = pixels.shape[1::-1] if self.transpose else pixels.shape[:2]
        down = slice(height - rows.stop, height - rows.start) if self.mirror_y else rows
        across = slice(width - columns.stop, width - columns.start) if self.mirror_x else columns
        return self.apply(pixels[across, down] if self.transpose else pixels[down, across])

    def matrix(self, height: float, width: float) -> np.ndarray:
        """Return the 3×3 matrix from stored to upright points; height and width are those of the upright image."""
        matrix = np.eye(3)[[1, 0, 2]] if self.transpose else np.eye(3)
        if self.mirror_x:
            matrix[0] = [0, 0, width] - matrix[0]
        if self.mirror_y:
            matrix[1] = [0, 0, height] - matrix[1]
        return matrix


EXIF_TURNS = {
    1: Turn(),
    2: Turn(mirror_x=True),
    3: Turn(mirror_x=True, mirror_y=True),
    4: Turn(mirror_y=True),
    5: Turn(transpose=True),
    6: Turn(transpose=True, mirror_x=True),
    7: Turn(transpose=True, mirror_x=True, mirror_y=True),
    8: Turn(transpose=True, mirror_y=True),
}


@dataclass(frozen=True)
class Picture:
    """An image that is not decoded yet: its upright size and a function that loads its pixels."""

    height: int
    width: int
    load: Callable[[int], np.ndarray]  # scale 1/n -> stored pixels, uint8 (ceil(H/n), ceil(W/n), 3)
    turn: Turn = EXIF_TURNS[1]  # from stored pixels to upright ones
    scales: tuple[int, ...] = (1,)  # supported n, which cost less to load than 1
    load_top: Callable[[int, int], np.ndarray] | None = (
        None  # (scale, rows) -> the top rows or more, if that is cheaper
    )

    def top(self, scale: int, rows: int) -> np.ndarray:
        """Load at least the first `rows` of the stored pixels at a scale: uint8 (rows or more, ceil(W/n), 3)."""
        return self.load_top(scale, rows) if self.load_top else self.load(scale)


def check_size(height: int, width: int) -> None:
    """Raise BadData for an image that is empty or unreasonably large."""
    if height < 1 or width < 1:
        raise BadData(f"an empty picture: {width}×{height}")
    if height * width > MAX_PIXELS:
        raise BadData(f"{width}×{height} is more than {MAX_PIXELS // 1_000_000} megapixels: shrink the picture first")
