"""The worker's half of augmentation on a device: all but the last warp and the recolouring after it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ftaug.image.augmentations.pipeline import Fused, Pipeline, Raw, done, fuse
from ftaug.image.augmentations.transforms import ColorMatrix, LookupTable
from ftaug.image.io.decode import opened
from ftaug.image.render.color import NO_COUNTS
from ftaug.image.render.resample import unwarped
from ftaug.interfaces.data import Streams


class Planned(NamedTuple):
    """A picture and what is still to be done to it."""

    pixels: np.ndarray  # uint8 (H, W, 3)
    back: np.ndarray  # float64 (3, 3), from the centres of the canvas's pixels to those of these
    size: tuple[int, int]  # height and width of the canvas
    border: str | None
    colours: tuple[np.ndarray, ...]  # float64 (7, 7) as Colour has them, or tables, uint8 (256, 3)
    keeps_black: bool  # whether what lies outside the picture is not recoloured


def planned(raw: Raw, pipeline: Pipeline, streams: Streams, labels: tuple[str, ...]) -> Planned:
    """Do all up to the last warp. Where the end of the pipeline needs single pixels, all is done. Raises BadData."""
    picture = opened(raw)
    interpolation = pipeline.preprocessing.get("interpolation", "bilinear")
    steps = fuse(pipeline.draws(picture.height, picture.width, streams, labels), picture.height, picture.width)
    last = steps[-1]
    if not isinstance(last, Fused) or not _can_follow(last, interpolation):
        pixels = done(steps, picture, interpolation)
        return Planned(pixels, np.eye(3), (pixels.shape[0], pixels.shape[1]), None, (), False)
    if len(steps) > 1:
        picture = opened(done(steps[:-1], picture, interpolation))
    source = unwarped(picture, last.geometry, interpolation)
    back = np.eye(3) if source.matrix is None else np.linalg.inv(source.matrix)
    keeps_black = bool(last.colours) and source.shows_border and source.border == "constant"
    colours = tuple(c.matrix if isinstance(c, ColorMatrix) else c.make(NO_COUNTS) for c in last.colours)
    return Planned(
        source.pixels, back, (last.geometry.height, last.geometry.width), source.border, colours, keeps_black
    )


def _can_follow(step: Fused, interpolation: str) -> bool:
    """Whether the device can do a step: it warps bilinearly, and does not count how often a picture has each value."""
    looks = any(isinstance(colour, LookupTable) and colour.looks for colour in step.colours)
    return (step.geometry.interpolation or interpolation) == "bilinear" and not looks
