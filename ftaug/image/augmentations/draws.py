"""What augmentations draw: values that say what to do with a picture. The pipeline fuses them and does it.

Points are continuous: the pixel in row i and column j covers [j, j+1) × [i, i+1), a picture of width W spans [0, W].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ftaug.config.types import Count, Fraction, Positive, Wording

Border = Literal["constant", "reflect", "replicate"]


def _in_order(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise PydanticCustomError("range", "must be [smallest, largest]")
    return pair


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), Wording("a share from 0 to 1")]
Tilt = Annotated[float, Field(ge=0, lt=90, allow_inf_nan=False), Wording("an angle from 0 to below 90 degrees")]
Turns = Annotated[
    float, Field(ge=0, le=0.5, allow_inf_nan=False), Wording("a share of the colour circle from 0 to 0.5")
]
Distortion = Annotated[float, Field(ge=0, le=0.6, allow_inf_nan=False), Wording("a share from 0 to 0.6")]
Range = Annotated[tuple[Positive, Positive], AfterValidator(_in_order)]
ShareRange = Annotated[tuple[Fraction, Fraction], AfterValidator(_in_order)]
Extent = Count | tuple[Count, Count] | None


class Canvas(NamedTuple):
    """The size of the picture as an op meets it, and the one that the model takes, in pixels."""

    height: int
    width: int
    target: tuple[int, int]

    def extent(self, setting: int | tuple[int, int] | None) -> tuple[int, int]:
        """Height and width that a `size:` setting asks for: one number is a square, none is the model's size."""
        if setting is None:
            return self.target
        return (setting, setting) if isinstance(setting, int) else setting


@dataclass(frozen=True)
class Geometry:
    """A picture moved: every point (x, y, 1) goes to `matrix` times it, seen through a canvas of a given size."""

    matrix: np.ndarray  # float64 (3, 3)
    height: int
    width: int
    border: Border | None = None  # what lies outside the picture; None: the op never looks there
    settles: bool = False  # whether every picture gets this size

    def then(self, later: Geometry) -> Geometry:
        """Both in one resampling. What the first moved off its canvas can come back."""
        settles = self.settles or later.settles
        return Geometry(later.matrix @ self.matrix, later.height, later.width, self.border or later.border, settles)

    def fuses_with(self, later: Geometry) -> bool:
        """Whether both see the same outside."""
        return self.border is None or later.border is None or self.border == later.border


@dataclass(frozen=True)
class Colour:
    """A picture recoloured linearly: `matrix` takes (a pixel's RGB, the picture's mean RGB, 1) to the same after it."""

    matrix: np.ndarray  # float64 (7, 7)

    @classmethod
    def of(cls, linear: np.ndarray, *, by_mean: np.ndarray | float = 0.0, constant: float = 0.0) -> Colour:
        """Every pixel becomes linear @ pixel + by_mean @ mean + constant; so does the mean."""
        matrix = np.zeros((7, 7))
        matrix[:3, :3] = linear
        matrix[:3, 3:6] = by_mean
        matrix[3:6, 3:6] = linear + by_mean
        matrix[:6, 6] = constant
        matrix[6, 6] = 1
        return cls(matrix)

    def then(self, later: Colour) -> Colour:
        """Both at once; nothing is clipped in between."""
        return Colour(later.matrix @ self.matrix)

    def given(self, mean: Sequence[float] | np.ndarray) -> np.ndarray:
        """The (3, 4) matrix for a picture with this mean RGB."""
        return np.column_stack([self.matrix[:3, :3], self.matrix[:3, 3:6] @ mean + self.matrix[:3, 6]])


@dataclass(frozen=True)
class Pixels:
    """Anything else: a pure function from uint8 (H, W, 3) to the same shape."""

    apply: Callable[[np.ndarray], np.ndarray]


Draw = Geometry | Colour | Pixels
Box = tuple[int, int, int, int]
"""Top, left, height, width."""


def happens(rng: np.random.Generator, probability: float) -> bool:
    """Whether an op fires; one number is drawn in either case."""
    return bool(rng.random() < probability)


def box_of_shape(
    rng: np.random.Generator, canvas: Canvas, share: tuple[float, float], ratio: tuple[float, float]
) -> Box | None:
    """A box with an area and an aspect ratio (log-uniform) at a random place; None if ten tries do not fit."""
    for _ in range(10):
        area = canvas.height * canvas.width * rng.uniform(*share)
        aspect = math.exp(rng.uniform(math.log(ratio[0]), math.log(ratio[1])))
        height, width = round(math.sqrt(area / aspect)), round(math.sqrt(area * aspect))
        if 0 < height <= canvas.height and 0 < width <= canvas.width:
            top, left = rng.integers(canvas.height - height + 1), rng.integers(canvas.width - width + 1)
            return int(top), int(left), height, width
    return None


def matrix(rows: Any) -> np.ndarray:
    """A float64 matrix."""
    return np.array(rows, np.float64)
