"""Whether training sees pictures of the size that the model takes afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from ftaug.config.registry import Component
from ftaug.errors import ExperimentError, Problem
from ftaug.image.augmentations.pipeline import Pipeline

SHAPES = ((480, 640), (640, 480), (512, 512))
DRAWS = 8


def check_size_after(pipeline: Pipeline) -> None:
    """Raise ExperimentError where augmentations leave pictures in another size than the model takes."""
    for height, width in SHAPES:
        for draw in range(DRAWS):
            check_size(pipeline, pipeline.size_after(height, width, partial(_stream, draw)))


def check_size(pipeline: Pipeline, size: tuple[int, int]) -> None:
    """Raise ExperimentError where a training picture has another height and width than the model takes."""
    if size != pipeline.target:
        raise ExperimentError(_problem(pipeline, size, pipeline.target))


def _stream(draw: int, name: str) -> np.random.Generator:
    return np.random.default_rng([draw, *name.encode()])


def _problem(pipeline: Pipeline, found: tuple[int, int], wanted: tuple[int, int]) -> Problem:
    every = [each for op in pipeline.augment for each in (op, *_nested(op))]
    sized = [op for op in every if op.settings.get("size") is not None]
    where = f"augment: {sized[-1].name}" if sized else "augment"
    used = "training takes" if "train_size" in pipeline.preprocessing else "evaluation looks at"
    remedy = (
        f"set input: {{size: {_size(found)}}}, or input: {{train_size: {_size(found)}}} if only training is to see it"
    )
    text = (
        f"{where} leaves {found[0]}×{found[1]} pixels, and {used} {wanted[0]}×{wanted[1]}; leave its size out, {remedy}"
    )
    return Problem(text, sized[-1].place if sized else None)


def _nested(op: Component) -> Iterator[Component]:
    """The ops that one is made of."""
    for value in op.settings.values():
        for each in value if isinstance(value, tuple) else ():
            if isinstance(each, Component):
                yield each
                yield from _nested(each)


def _size(size: tuple[int, int]) -> str:
    return str(size[0]) if size[0] == size[1] else str(list(size))
