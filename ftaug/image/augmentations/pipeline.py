"""Draw what happens to a picture, fuse it, and do it: one resampling and one recolouring however many ops there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftaug.config.registry import Component
from ftaug.image.augmentations.draws import Canvas, Colour, Draw, Geometry, Pixels
from ftaug.image.augmentations.geometry import resized_centre
from ftaug.image.decode import Picture, opened
from ftaug.image.resample import render
from ftaug.interfaces import Streams


@dataclass(frozen=True)
class Pipeline:
    """The way of a picture to the model: augmentations in order, and the model's preprocessing."""

    augment: tuple[Component, ...]
    preprocessing: Mapping[str, Any]

    def __call__(self, raw: bytes | np.ndarray, streams: Streams | None) -> np.ndarray:
        """Return uint8 (H, W, 3); without streams nothing is drawn, as in evaluation. Raises BadData."""
        picture = opened(raw)
        draws = self.draws(picture.height, picture.width, streams)
        return apply(draws, picture, self.preprocessing.get("interpolation", "bilinear"))

    def draws(self, height: int, width: int, streams: Streams | None) -> list[Draw]:
        """What happens to a picture of this size. It ends as large as an op settled, else as in evaluation."""
        target_height, target_width = self.preprocessing["size"]
        canvas = Canvas(height, width, (target_height, target_width))
        drawn: list[Draw] = []
        is_settled = False
        for name, op in _named(self.augment):
            draw = op(canvas, streams(name)) if streams else None
            if draw is not None:
                drawn.append(draw)
            if isinstance(draw, Geometry):
                canvas = canvas._replace(height=draw.height, width=draw.width)
                is_settled = is_settled or draw.settles
        return drawn if is_settled else [*drawn, resized_centre(canvas, self.preprocessing.get("resize"))]


def _named(ops: Iterable[Component]) -> Iterable[tuple[str, Component]]:
    """Each op with the name of its random stream: a second `rotate` is `rotate#1`."""
    uses: Counter[str] = Counter()
    for op in ops:
        yield f"{op.name}#{uses[op.name]}" if uses[op.name] else op.name, op
        uses[op.name] += 1


@dataclass(frozen=True)
class Fused:
    """Neighbouring geometries and colours in one."""

    geometry: Geometry
    colour: Colour | None = None

    def with_(self, draw: Geometry | Colour) -> Fused | None:
        """Take one more in; None where two geometries see a different outside."""
        if isinstance(draw, Colour):
            return Fused(self.geometry, self.colour.then(draw) if self.colour else draw)
        return Fused(self.geometry.then(draw), self.colour) if self.geometry.fuses_with(draw) else None


def fuse(draws: Iterable[Draw], height: int, width: int) -> list[Fused | Pixels]:
    """The fewest steps that have the effect of all draws on a picture of this size; the first is a geometry.

    A colour changes the picture but not the black outside of it, so colours and geometries change places freely.
    """
    steps: list[Fused | Pixels] = [Fused(Geometry(np.eye(3), height, width))]
    for draw in draws:
        last = steps[-1]
        if isinstance(draw, Geometry):
            height, width = draw.height, draw.width
        if isinstance(draw, Pixels):
            steps.append(draw)
        elif isinstance(last, Fused) and (more := last.with_(draw)):
            steps[-1] = more
        elif isinstance(draw, Geometry):
            steps.append(Fused(draw))
        else:
            steps.append(Fused(Geometry(np.eye(3), height, width), draw))
    return steps


def apply(draws: Iterable[Draw], picture: Picture, interpolation: Any) -> np.ndarray:
    """Do all that was drawn; the result is new memory."""
    first, *rest = fuse(draws, picture.height, picture.width)
    assert isinstance(first, Fused)
    pixels = render(picture, first.geometry, first.colour, interpolation)
    for step in rest:
        if isinstance(step, Fused):
            pixels = render(opened(pixels), step.geometry, step.colour, interpolation)
        else:
            pixels = step.apply(pixels)
    return pixels
