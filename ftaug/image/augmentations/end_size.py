"""Whether training sees pictures of the size that the model takes afterwards."""

from __future__ import annotations

from functools import partial

import numpy as np

from ftaug.errors import ExperimentError, Problem
from ftaug.image.augmentations.pipeline import Pipeline

SHAPES = ((480, 640), (640, 480), (512, 512))
DRAWS = 8


def check_size_after(pipeline: Pipeline) -> None:
    """Raise ExperimentError where augmentations leave pictures in another size than the model takes."""
    wanted = pipeline.target
    for height, width in SHAPES:
        for draw in range(DRAWS):
            found = pipeline.size_after(height, width, partial(_stream, draw))
            if found != wanted:
                raise ExperimentError(_problem(pipeline, found, wanted))


def _stream(draw: int, name: str) -> np.random.Generator:
    return np.random.default_rng([draw, *name.encode()])


def _problem(pipeline: Pipeline, found: tuple[int, int], wanted: tuple[int, int]) -> Problem:
    sized = [op for op in pipeline.augment if op.settings.get("size") is not None]
    where = f"augment: {sized[-1].name}" if sized else "augment"
    used = "training takes" if "train_size" in pipeline.preprocessing else "evaluation looks at"
    remedy = (
        f"set input: {{size: {_size(found)}}}, or input: {{train_size: {_size(found)}}} if only training is to see it"
    )
    text = (
        f"{where} leaves {found[0]}×{found[1]} pixels, and {used} {wanted[0]}×{wanted[1]}; leave its size out, {remedy}"
    )
    return Problem(text, sized[-1].place if sized else None)


def _size(size: tuple[int, int]) -> str:
    return str(size[0]) if size[0] == size[1] else str(list(size))
