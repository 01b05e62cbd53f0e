"""Augmentation on the GPU, worker side: everything but the last warp and the color transforms after it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from ftaug.image.augmentations.pipeline import Fused, Pipeline, Raw, fuse, rendered
from ftaug.image.augmentations.transforms import ColorMatrix, Interpolation, LookupTable, PixelFunction
from ftaug.image.io.decode import opened
from ftaug.image.io.picture import Picture
from ftaug.image.render.color import NO_COUNTS
from ftaug.image.render.resample import unwarped
from ftaug.interfaces.data import AppliedTransforms, Streams


class Planned(NamedTuple):
    """An image with the transforms that remain for the device."""

    pixels: np.ndarray  # uint8 (H, W, 3)
    back: np.ndarray  # float64 (3, 3), from pixel centers of the canvas to those of `pixels`
    size: tuple[int, int]  # height and width of the canvas
    border: str | None
    colors: tuple[np.ndarray, ...]  # matrices float64 (7, 7) as in ColorMatrix, or tables uint8 (256, 3)
    keeps_black: bool  # whether color transforms leave the outside of the image black


def planned(
    raw: Raw, pipeline: Pipeline, streams: Streams, labels: tuple[str, ...]
) -> tuple[Callable[[], Planned], AppliedTransforms]:
    """Draw the transforms; return a function that applies those before the last warp, and all that were drawn.

    It applies all of them where the device cannot do the last one. Both raise BadData.
    """
    picture = opened(raw)
    draws, applied = pipeline.draw(picture.height, picture.width, streams, labels)
    steps = fuse(draws, picture.height, picture.width)
    return partial(_planned, steps, picture, pipeline.preprocessing.get("interpolation", "bilinear")), applied


def _planned(steps: Sequence[Fused | PixelFunction], picture: Picture, interpolation: Interpolation) -> Planned:
    last = steps[-1]
    if not isinstance(last, Fused) or not _can_follow(last, interpolation):
        pixels = rendered(steps, picture, interpolation)()
        return Planned(pixels, np.eye(3), (pixels.shape[0], pixels.shape[1]), None, (), False)
    if len(steps) > 1:
        picture = opened(rendered(steps[:-1], picture, interpolation)())
    source = unwarped(picture, last.geometry, interpolation)
    back = np.eye(3) if source.matrix is None else np.linalg.inv(source.matrix)
    keeps_black = bool(last.colors) and source.shows_border and source.border == "constant"
    colors = tuple(c.matrix if isinstance(c, ColorMatrix) else c.make(NO_COUNTS) for c in last.colors)
    size = last.geometry.height, last.geometry.width
    return Planned(source.read(), back, size, source.border, colors, keeps_black)


def _can_follow(step: Fused, interpolation: str) -> bool:
    """Return whether the device can apply a step: bilinear, and without tables that need a histogram."""
    needs_histogram = any(isinstance(color, LookupTable) and color.needs_histogram for color in step.colors)
    return (step.geometry.interpolation or interpolation) == "bilinear" and not needs_histogram
