"""Check that augmented training images have the size of the model's input."""

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
    """Raise ExperimentError if augmentations leave images in another size than the model's input."""
    for height, width in SHAPES:
        for draw in range(DRAWS):
            check_size(pipeline, pipeline.size_after(height, width, partial(_stream, draw)))


def check_size(pipeline: Pipeline, size: tuple[int, int]) -> None:
    """Raise ExperimentError if a training image's height and width differ from the model's input."""
    if size != pipeline.target:
        raise ExperimentError(_problem(pipeline, size, pipeline.target))


def _stream(draw: int, name: str) -> np.random.Generator:
    return np.random.default_rng([draw, *name.encode()])


def _problem(pipeline: Pipeline, size: tuple[int, int], target: tuple[int, int]) -> Problem:
    every = [each for op in pipeline.augment for each in (op, *_nested(op))]
    sized = [op for op in every if op.settings.get("size") is not None]
    where = f"augment: {sized[-1].name}" if sized else "augment"
    used = "training takes" if "train_size" in pipeline.preprocessing else "evaluation looks at"
    remedy = (
        f"set input: {{size: {_size(size)}}}, or input: {{train_size: {_size(size)}}} if only training is to see it"
    )
    text = (
        f"{where} leaves {size[0]}×{size[1]} pixels, and {used} {target[0]}×{target[1]}; leave its size out, {remedy}"
    )
    return Problem(text, sized[-1].place if sized else None)


def _nested(op: Component) -> Iterator[Component]:
    """Yield the ops nested in a composite, recursively."""
    for value in op.settings.values():
        for each in value if isinstance(value, tuple) else ():
            if isinstance(each, Component):
                yield each
                yield from _nested(each)


def _size(size: tuple[int, int]) -> str:
    return str(size[0]) if size[0] == size[1] else str(list(size))
