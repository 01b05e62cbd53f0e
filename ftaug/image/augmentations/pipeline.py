"""Draw what happens to a picture, fuse it, and do it: one resampling and one recolouring however many ops there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
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
from ftaug.image.render.resample import render, scale_of
from ftaug.interfaces.data import AppliedTransforms, Streams

Raw = bytes | np.ndarray | Picture
"""A sample as it is read: an encoded file, uint8 pixels, or a picture whose pixels are loaded from elsewhere."""


@dataclass(frozen=True)
class Pipeline:
    """The way of a picture to the model: augmentations in order, and the model's preprocessing."""

    augment: tuple[Component, ...]
    preprocessing: Mapping[str, Any]

    @cached_property
    def named(self) -> tuple[tuple[str, Component], ...]:
        """The augmentations with the names of their streams."""
        return tuple(named(self.augment))

    @cached_property
    def in_training(self) -> Mapping[str, Any]:
        """The preprocessing with the size of training in place of evaluation's."""
        return at_size(self.preprocessing, self.preprocessing.get("train_size", self.preprocessing["size"]))

    @property
    def target(self) -> tuple[int, int]:
        """Height and width that the model takes in training."""
        height, width = self.in_training["size"]
        return height, width

    def __call__(self, raw: Raw, streams: Streams | None, labels: tuple[str, ...] = ()) -> np.ndarray:
        """Return uint8 (H, W, 3); without streams nothing is drawn, as in evaluation. Raises BadData.

        Where evaluation looks at several views: uint8 (views, H, W, 3).
        """
        picture = opened(raw)
        if streams is None:
            return evaluated(picture, self.preprocessing)
        draws = self.draws(picture.height, picture.width, streams, labels)
        return apply(draws, picture, self.preprocessing.get("interpolation", "bilinear"))

    def draws(self, height: int, width: int, streams: Streams, labels: tuple[str, ...] = ()) -> list[Draw]:
        """What happens to a picture of this size. It ends as large as an op settled, else as in evaluation."""
        canvas = Canvas(height, width, self.target, labels)
        drawn: list[Draw] = []
        settled = False
        for _, draws, _ in self.fired(canvas, streams):
            for draw in draws:
                if isinstance(draw, Homography | PixelFunction):
                    seen = draw.output_view(canvas)
                    settled = draw.settles or (settled and seen[:2] == canvas[:2])
                    canvas = seen
            drawn += draws
        return drawn if settled else [*drawn, *fitted(canvas, self.in_training)]

    def size_after(self, height: int, width: int, streams: Streams) -> tuple[int, int]:
        """Height and width that a training picture of this size has in the end."""
        canvas = Canvas(height, width, self.target)
        for draw in self.draws(height, width, streams):
            if isinstance(draw, Homography | PixelFunction):
                canvas = draw.output_view(canvas)
        return canvas.height, canvas.width

    def fired(self, canvas: Canvas, streams: Streams | None) -> Iterator[tuple[str, Sequence[Draw], Canvas]]:
        """The ops that do something to a picture, by the names of their streams: what each draws, and leaves behind."""
        if streams is None:
            return
        for name, op in self.named:
            if draws := each(op(canvas, streams(name))):
                for draw in draws:
                    canvas = draw.output_view(canvas)
                yield name, draws, canvas

    def scale(self, picture: Picture, streams: Streams | None) -> int:
        """The n of the 1/n at which a picture is loaded: evaluation sees the full decode."""
        if streams is None:
            return 1
        first = fuse(self.draws(picture.height, picture.width, streams), picture.height, picture.width)[0]
        assert isinstance(first, Fused)
        return scale_of(picture, first.geometry)

    def account(self, raw: Raw, streams: Streams | None, labels: tuple[str, ...]) -> AppliedTransforms:
        """What is drawn for a picture, and the classes that it shows after that."""
        picture = opened(raw)
        canvas = Canvas(picture.height, picture.width, self.target, labels)
        values: dict[str, Mapping[str, float | str]] = {}
        for name, draws, seen in self.fired(canvas, streams):
            values[name] = {key: value for draw in draws for key, value in draw.values.items()}
            canvas = seen
        return AppliedTransforms(values, canvas.labels)

    @property
    def relabels(self) -> bool:
        """Whether an op may change a picture's class."""
        return any(op.settings.get("label_map") for _, op in nested(self.augment))


@dataclass(frozen=True)
class Fused:
    """Neighbouring geometries in one, and neighbouring recolourings in as few as there can be."""

    geometry: Homography
    colours: tuple[ColorMatrix | LookupTable, ...] = ()


Run = list[Homography | ColorMatrix | LookupTable]
"""Draws that fuse."""


def joined(first: ColorMatrix | LookupTable, later: ColorMatrix | LookupTable) -> ColorMatrix | LookupTable | None:
    """Two colours as one matrix, if the first clips nothing; tables, and colours that are tables too, as one table."""
    if isinstance(first, ColorMatrix) and isinstance(later, ColorMatrix):
        return first.then(later) if first.stays_in_range else None
    one, other = (draw.as_table() if isinstance(draw, ColorMatrix) else draw for draw in (first, later))
    return one.then(other) if one and other else None


def fuse(draws: Iterable[Draw], height: int, width: int) -> list[Fused | PixelFunction]:
    """The fewest steps that have the effect of all draws on a picture of this size; the first is a geometry.

    A colour changes the picture but not the black outside of it, so colours and geometries change places freely.
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
    """Draws that fuse, together, and those that do not.

    Two geometries fuse unless they see a different outside or are to be resampled in different ways.
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
    """A run as one geometry and its recolourings, for a picture of this size."""
    matrix: np.ndarray | None = None
    border: Border | None = None
    interpolation: Interpolation | None = None
    colours: list[ColorMatrix | LookupTable] = []
    for draw in run:
        if isinstance(draw, Homography):
            matrix = draw.matrix if matrix is None else draw.matrix @ matrix
            border, interpolation = border or draw.border, interpolation or draw.interpolation
            height, width = draw.height, draw.width
        elif colours and (both := joined(colours[-1], draw)):
            colours[-1] = both
        else:
            colours.append(draw)
    matrix = np.eye(3) if matrix is None else matrix
    return Fused(Homography(matrix, height, width, border, interpolation=interpolation), tuple(colours))


def apply(draws: Iterable[Draw], picture: Picture, interpolation: Any) -> np.ndarray:
    """Do all that was drawn; the result is new memory."""
    return done(fuse(draws, picture.height, picture.width), picture, interpolation)


def done(steps: Sequence[Fused | PixelFunction], picture: Picture, interpolation: Any) -> np.ndarray:
    """Do the steps that draws were fused to, of which the first is a geometry."""
    first, *rest = steps
    assert isinstance(first, Fused)
    pixels = render(picture, first.geometry, first.colours, interpolation)
    for step in rest:
        if isinstance(step, Fused):
            pixels = render(opened(pixels), step.geometry, step.colours, interpolation)
        else:
            pixels = step.apply(pixels)
    return pixels
