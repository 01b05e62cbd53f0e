"""Image augmentation pipeline: draw, fuse and apply transforms, with a single resampling where possible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np

from ftaug.augment.random_streams import named
from ftaug.augment.transform import each
from ftaug.config.registry import Component, nested
from ftaug.image.augmentations.transforms import (
    Border,
    Canvas,
    ColorMatrix,
    Draw,
    Homography,
    Interpolation,
    LookupTable,
    PixelFunction,
)
from ftaug.image.evaluation import evaluated, fitted
from ftaug.image.io.decode import opened
from ftaug.image.io.picture import Picture
from ftaug.image.preprocessing import at_size
from ftaug.image.render.resample import Pixels, rendering, scale_of
from ftaug.interfaces.data import AppliedTransforms, Streams

Raw = bytes | np.ndarray | Picture
"""A sample as it is read: an encoded file, uint8 pixels, or a lazily loaded picture."""


@dataclass(frozen=True)
class Pipeline:
    """Turn a raw image into the model's input: augmentations in order, then the model's preprocessing."""

    augment: tuple[Component, ...]
    preprocessing: Mapping[str, Any]

    @cached_property
    def named(self) -> tuple[tuple[str, Component], ...]:
        """Return the augmentations with the names of their random streams."""
        return tuple(named(self.augment))

    @cached_property
    def in_training(self) -> Mapping[str, Any]:
        """Return the preprocessing with the training size in place of the evaluation size."""
        return at_size(self.preprocessing, self.preprocessing.get("train_size", self.preprocessing["size"]))

    @property
    def target(self) -> tuple[int, int]:
        """Return the height and width of the model's input in training."""
        height, width = self.in_training["size"]
        return height, width

    def __call__(self, raw: Raw, streams: Streams | None, labels: tuple[str, ...] = ()) -> np.ndarray:
        """Return the model's input, uint8 (H, W, 3); without streams nothing is augmented (evaluation). Raises BadData.

        With test-time views: uint8 (views, H, W, 3).
        """
        return self.augmented(raw, streams, labels)[0]

    def augmented(
        self, raw: Raw, streams: Streams | None, labels: tuple[str, ...] = ()
    ) -> tuple[np.ndarray, AppliedTransforms]:
        """Return the model's input, as a call does, and the transforms applied; raises BadData."""
        pixels, applied = self.rendering(raw, streams, labels)
        return pixels(), applied

    def rendering(
        self, raw: Raw, streams: Streams | None, labels: tuple[str, ...] = ()
    ) -> tuple[Pixels, AppliedTransforms]:
        """Draw the transforms; return a function that decodes the image and applies them, and what it applies."""
        picture = opened(raw)
        if streams is None:
            return partial(evaluated, picture, self.preprocessing), AppliedTransforms({}, labels)
        draws, applied = self.draw(picture.height, picture.width, streams, labels)
        steps = fuse(draws, picture.height, picture.width)
        return rendered(steps, picture, self.preprocessing.get("interpolation", "bilinear")), applied

    def draw(
        self, height: int, width: int, streams: Streams, labels: tuple[str, ...] = ()
    ) -> tuple[list[Draw], AppliedTransforms]:
        """Draw the transforms for an image of this size; return them with their parameters and the classes after them.

        If no op fixes the output size, the resize and center crop of evaluation are appended.
        """
        canvas = Canvas(height, width, self.target, labels)
        drawn: list[Draw] = []
        values: dict[str, Mapping[str, float | str]] = {}
        size_fixed = False
        for name, draws, after in self.fired(canvas, streams):
            is_single = len(draws) == 1
            values[name] = draws[0].values if is_single else {k: v for draw in draws for k, v in draw.values.items()}
            labels = after.labels
            for draw in draws:
                if isinstance(draw, (Homography, PixelFunction)):
                    next_canvas = after if is_single else draw.output_view(canvas)
                    size_fixed = draw.fixes_size or (size_fixed and next_canvas[:2] == canvas[:2])
                    canvas = next_canvas
            drawn += draws
        if not size_fixed:
            drawn += fitted(canvas, self.in_training)
        return drawn, AppliedTransforms(values, labels)

    def size_after(self, height: int, width: int, streams: Streams) -> tuple[int, int]:
        """Return the final height and width of a training image of this size."""
        canvas = Canvas(height, width, self.target)
        for draw in self.draw(height, width, streams)[0]:
            if isinstance(draw, Homography | PixelFunction):
                canvas = draw.output_view(canvas)
        return canvas.height, canvas.width

    def fired(self, canvas: Canvas, streams: Streams | None) -> Iterator[tuple[str, Sequence[Draw], Canvas]]:
        """Yield for each op that fires its stream name, its transforms, and the canvas after them."""
        if streams is None:
            return
        for name, op in self.named:
            if draws := each(op(canvas, streams(name))):
                for draw in draws:
                    canvas = draw.output_view(canvas)
                yield name, draws, canvas

    def scale(self, picture: Picture, streams: Streams | None) -> int:
        """Return n for decoding at 1/n of the full size (JPEG DCT scaling); 1 in evaluation."""
        if streams is None:
            return 1
        first = fuse(self.draw(picture.height, picture.width, streams)[0], picture.height, picture.width)[0]
        assert isinstance(first, Fused)
        return scale_of(picture, first.geometry)

    @property
    def relabels(self) -> bool:
        """Return whether an op may change an image's class."""
        return any(op.settings.get("label_map") for _, op in nested(self.augment))


@dataclass(frozen=True)
class Fused:
    """One homography followed by as few color transforms as possible."""

    geometry: Homography
    colors: tuple[ColorMatrix | LookupTable, ...] = ()


Run = list[Homography | ColorMatrix | LookupTable]
"""Consecutive transforms that can be fused."""


def joined(first: ColorMatrix | LookupTable, later: ColorMatrix | LookupTable) -> ColorMatrix | LookupTable | None:
    """Fuse two color transforms into one; None where that would change the result.

    Two matrices fuse if the first clips nothing; tables fuse with tables and with matrices that do not mix channels.
    """
    if isinstance(first, ColorMatrix) and isinstance(later, ColorMatrix):
        return first.then(later) if first.stays_in_range else None
    first_table, later_table = (
        transform.as_table() if isinstance(transform, ColorMatrix) else transform for transform in (first, later)
    )
    return first_table.then(later_table) if first_table and later_table else None


def fuse(draws: Iterable[Draw], height: int, width: int) -> list[Fused | PixelFunction]:
    """Fuse transforms into the fewest steps for an image of this size; the first step is always a `Fused`.

    Color transforms change the image but not the black outside of it, so they commute with homographies.
    """
    steps: list[Fused | PixelFunction] = []
    for run in _runs(draws):
        if isinstance(run, PixelFunction):
            steps.append(run)
            height, width = run.size or (height, width)
        elif run or not steps:
            fused = _fused(run, height, width)
            steps.append(fused)
            height, width = fused.geometry.height, fused.geometry.width
    return steps


def _runs(draws: Iterable[Draw]) -> Iterator[Run | PixelFunction]:
    """Group consecutive transforms that can be fused; yield pixel functions separately.

    Two homographies fuse unless their borders or their interpolations differ.
    """
    run: Run = []
    border: Border | None = None
    interpolation: Interpolation | None = None
    for draw in draws:
        if isinstance(draw, PixelFunction):
            yield run
            yield draw
            run, border, interpolation = [], None, None
            continue
        if isinstance(draw, Homography):
            if not (_agree(border, draw.border) and _agree(interpolation, draw.interpolation)):
                yield run
                run, border, interpolation = [], None, None
            border, interpolation = border or draw.border, interpolation or draw.interpolation
        run.append(draw)
    yield run


def _agree(first: str | None, later: str | None) -> bool:
    return first is None or later is None or first == later


def _fused(run: Run, height: int, width: int) -> Fused:
    """Fuse a run of transforms for an image of this size."""
    matrix: np.ndarray | None = None
    border: Border | None = None
    interpolation: Interpolation | None = None
    colors: list[ColorMatrix | LookupTable] = []
    for draw in run:
        if isinstance(draw, Homography):
            matrix = draw.matrix if matrix is None else draw.matrix @ matrix
            border, interpolation = border or draw.border, interpolation or draw.interpolation
            height, width = draw.height, draw.width
        elif colors and (both := joined(colors[-1], draw)):
            colors[-1] = both
        else:
            colors.append(draw)
    matrix = np.eye(3) if matrix is None else matrix
    return Fused(Homography(matrix, height, width, border, interpolation=interpolation), tuple(colors))


def apply(draws: Iterable[Draw], picture: Picture, interpolation: Any) -> np.ndarray:
    """Apply transforms to a picture; the result, uint8 (H, W, 3), is new memory."""
    return rendered(fuse(draws, picture.height, picture.width), picture, interpolation)()


def rendered(steps: Sequence[Fused | PixelFunction], picture: Picture, interpolation: Any) -> Pixels:
    """Return a function that applies fused steps, the first of which is a `Fused`, to a picture."""
    first, *rest = steps
    assert isinstance(first, Fused)
    pixels = rendering(picture, first.geometry, first.colors, interpolation)
    return partial(_followed, pixels, rest, interpolation) if rest else pixels


def _followed(first: Pixels, rest: Sequence[Fused | PixelFunction], interpolation: Any) -> np.ndarray:
    """Apply further steps to the pixels of the first one."""
    pixels = first()
    for step in rest:
        if isinstance(step, Fused):
            pixels = rendering(opened(pixels), step.geometry, step.colors, interpolation)()
        else:
            pixels = step.apply(pixels)
    return pixels
