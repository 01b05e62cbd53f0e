"""Augmentation on the GPU, worker side: everything but the last warp and the color transforms after it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ftaug.image.augmentations.pipeline import Fused, Pipeline, Raw, done, fuse
from ftaug.image.augmentations.transforms import ColorMatrix, LookupTable
from ftaug.image.io.decode import opened
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
) -> tuple[Planned, AppliedTransforms]:
    """Apply all steps before the last warp, or all where the device cannot do the last one; raises BadData."""
    picture = opened(raw)
    interpolation = pipeline.preprocessing.get("interpolation", "bilinear")
    draws, applied = pipeline.draw(picture.height, picture.width, streams, labels)
    steps = fuse(draws, picture.height, picture.width)
    last = steps[-1]
    if not isinstance(last, Fused) or not _can_follow(last, interpolation):
        pixels = done(steps, picture, interpolation)
        return Planned(pixels, np.eye(3), (pixels.shape[0], pixels.shape[1]), None, (), False), applied
    if len(steps) > 1:
        picture = opened(done(steps[:-1], picture, interpolation))
    source = unwarped(picture, last.geometry, interpolation)
    back = np.eye(3) if source.matrix is None else np.linalg.inv(source.matrix)
    keeps_black = bool(last.colors) and source.shows_border and source.border == "constant"
    colors = tuple(c.matrix if isinstance(c, ColorMatrix) else c.make(NO_COUNTS) for c in last.colors)
    size = last.geometry.height, last.geometry.width
    return Planned(source.pixels, back, size, source.border, colors, keeps_black), applied


def _can_follow(step: Fused, interpolation: str) -> bool:
    """Return whether the device can apply a step: bilinear, and without tables that need a histogram."""
    needs_histogram = any(isinstance(color, LookupTable) and color.needs_histogram for color in step.colors)
    return (step.geometry.interpolation or interpolation) == "bilinear" and not needs_histogram
