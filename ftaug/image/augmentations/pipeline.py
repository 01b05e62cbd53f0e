"""Draw what happens to a picture, fuse it, and do it: one resampling and one recolouring however many ops there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftaug.config.registry import Component, nested
from ftaug.image.augmentations.crops import resized_centre
from ftaug.image.augmentations.draws import Canvas, Colour, Draw, Geometry, Pixels, Table, each, seen_by_next
from ftaug.image.augmentations.streams import named
from ftaug.image.decode import Picture, opened
from ftaug.image.resample import render
from ftaug.interfaces import Account, Streams


@dataclass(frozen=True)
class Pipeline:
    """The way of a picture to the model: augmentations in order, and the model's preprocessing."""

    augment: tuple[Component, ...]
    preprocessing: Mapping[str, Any]

    def __call__(self, raw: bytes | np.ndarray, streams: Streams | None, labels: tuple[str, ...] = ()) -> np.ndarray:
        """Return uint8 (H, W, 3); without streams nothing is drawn, as in evaluation. Raises BadData."""
        picture = opened(raw)
        draws = self.draws(picture.height, picture.width, streams, labels)
        return apply(draws, picture, self.preprocessing.get("interpolation", "bilinear"))

    def draws(self, height: int, width: int, streams: Streams | None, labels: tuple[str, ...] = ()) -> list[Draw]:
        """What happens to a picture of this size. It ends as large as an op settled, else as in evaluation."""
        target_height, target_width = self.preprocessing["size"]
        canvas = Canvas(height, width, (target_height, target_width), labels)
        drawn: list[Draw] = []
        for _, draws, seen in self.fired(canvas, streams):
            drawn += draws
            canvas = seen
        if any(isinstance(draw, Geometry) and draw.settles for draw in drawn):
            return drawn
        return [*drawn, resized_centre(canvas, self.preprocessing.get("resize"))]

    def fired(self, canvas: Canvas, streams: Streams | None) -> Iterator[tuple[str, Sequence[Draw], Canvas]]:
        """The ops that do something to a picture, by the names of their streams: what each draws, and leaves behind."""
        for name, op in named(self.augment if streams else ()):
            assert streams is not None
            if draws := each(op(canvas, streams(name))):
                canvas = seen_by_next(canvas, draws)
                yield name, draws, canvas

    def account(self, raw: bytes | np.ndarray, streams: Streams | None, labels: tuple[str, ...]) -> Account:
        """What is drawn for a picture, and the classes that it shows after that."""
        picture = opened(raw)
        target_height, target_width = self.preprocessing["size"]
        canvas = Canvas(picture.height, picture.width, (target_height, target_width), labels)
        values: dict[str, Mapping[str, float | str]] = {}
        for name, draws, seen in self.fired(canvas, streams):
            values[name] = {key: value for draw in draws for key, value in draw.values.items()}
            canvas = seen
        return Account(values, canvas.labels)

    @property
    def relabels(self) -> bool:
        """Whether an op may change a picture's class."""
        return any(op.settings.get("label_map") for _, op in nested(self.augment))


@dataclass(frozen=True)
class Fused:
    """Neighbouring geometries in one, and neighbouring recolourings in as few as there can be."""

    geometry: Geometry
    colours: tuple[Colour | Table, ...] = ()

    def with_(self, draw: Geometry | Colour | Table) -> Fused | None:
        """Take one more in; None where two geometries see a different outside."""
        if isinstance(draw, Geometry):
            return Fused(self.geometry.then(draw), self.colours) if self.geometry.fuses_with(draw) else None
        both = joined(self.colours[-1], draw) if self.colours else None
        return Fused(self.geometry, (*self.colours[:-1], both) if both else (*self.colours, draw))


def joined(first: Colour | Table, later: Colour | Table) -> Colour | Table | None:
    """Two colours as one matrix; tables, and colours that are tables too, as one table."""
    if isinstance(first, Colour) and isinstance(later, Colour):
        return first.then(later)
    one, other = (draw.as_table() if isinstance(draw, Colour) else draw for draw in (first, later))
    return one.then(other) if one and other else None


def fuse(draws: Iterable[Draw], height: int, width: int) -> list[Fused | Pixels]:
    """The fewest steps that have the effect of all draws on a picture of this size; the first is a geometry.

    A colour changes the picture but not the black outside of it, so colours and geometries change places freely.
    """
    canvas = Canvas(height, width, (height, width))
    steps: list[Fused | Pixels] = [Fused(Geometry(np.eye(3), height, width))]
    for draw in draws:
        last = steps[-1]
        if isinstance(draw, Pixels):
            steps.append(draw)
        elif isinstance(last, Fused) and (more := last.with_(draw)):
            steps[-1] = more
        elif isinstance(draw, Geometry):
            steps.append(Fused(draw))
        else:
            steps.append(Fused(Geometry(np.eye(3), canvas.height, canvas.width), (draw,)))
        canvas = seen_by_next(canvas, draw)
    return steps


def apply(draws: Iterable[Draw], picture: Picture, interpolation: Any) -> np.ndarray:
    """Do all that was drawn; the result is new memory."""
    first, *rest = fuse(draws, picture.height, picture.width)
    assert isinstance(first, Fused)
    pixels = render(picture, first.geometry, first.colours, interpolation)
    for step in rest:
        if isinstance(step, Fused):
            pixels = render(opened(pixels), step.geometry, step.colours, interpolation)
        else:
            pixels = step.apply(pixels)
    return pixels
