"""What augmentations draw: values that say what to do with a picture. The pipeline fuses them and does it.

Points are continuous: the pixel in row i and column j covers [j, j+1) × [i, i+1), a picture of width W spans [0, W].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ftaug.augment.transform import Transform, between
from ftaug.config.types import Count, Fraction, Positive, Wording

Border = Literal["constant", "reflect", "replicate", "inside"]
Interpolation = Literal["bilinear", "bicubic", "nearest"]


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
Range = Annotated[
    tuple[Positive, Positive],
    AfterValidator(_in_order),
    Wording("[smallest, largest], both numbers above 0"),
]
ShareRange = Annotated[
    tuple[Fraction, Fraction],
    AfterValidator(_in_order),
    Wording("[smallest, largest], both shares above 0 and up to 1, such as 0.2 or 20%"),
]
Extent = Count | tuple[Count, Count] | None

LEVELS = np.arange(256.0)


class Canvas(NamedTuple):
    """The size of the picture as an op meets it, and the one that the model takes, in pixels."""

    height: int
    width: int
    target: tuple[int, int]
    labels: tuple[str, ...] = ()  # the classes that the picture shows by now; none in evaluation

    def resized(self, height: int, width: int) -> Canvas:
        """The canvas at another size."""
        if self.height == height and self.width == width:
            return self
        return self._replace(height=height, width=width)

    def relabelled(self, labels: tuple[str, ...]) -> Canvas:
        """The canvas of a picture that shows other classes by now."""
        return self._replace(labels=labels)

    def shows(self, classes: Container[str]) -> bool:
        """Whether the picture is of one of these classes."""
        return any(name in classes for name in self.labels)

    def extent(self, setting: int | tuple[int, int] | None) -> tuple[int, int]:
        """Height and width that a `size:` setting asks for: one number is a square, none is the model's size."""
        if setting is None:
            return self.target
        return (setting, setting) if isinstance(setting, int) else setting


@dataclass(frozen=True)
class Homography(Transform):
    """A picture moved: every point (x, y, 1) goes to `matrix` times it, seen through a canvas of a given size."""

    matrix: np.ndarray  # float64 (3, 3)
    height: int
    width: int
    border: Border | None = None  # what lies outside the picture; None: the op never looks there
    settles: bool = False  # whether every picture gets this size
    interpolation: Interpolation | None = None  # None: as the weights expect

    def then(self, later: Homography) -> Homography:
        """Both in one resampling. What the first moved off its canvas can come back."""
        settles = self.settles or later.settles
        return Homography(later.matrix @ self.matrix, later.height, later.width, self.border or later.border, settles)

    def by(self, interpolation: Interpolation | None) -> Homography:
        """The same, resampled so; None: as the weights expect."""
        return self if interpolation is None else replace(self, interpolation=interpolation)

    def settling(self) -> Homography:
        """The same, which every picture gets the size of."""
        return Homography(self.matrix, self.height, self.width, self.border, True)

    def output_view(self, canvas: Canvas) -> Canvas:
        """The canvas that it leaves to the next."""
        return (super().output_view(canvas) if self.relabels else canvas).resized(self.height, self.width)


@dataclass(frozen=True)
class ColorMatrix(Transform):
    """A picture recoloured linearly: `matrix` takes (a pixel's RGB, the picture's mean RGB, 1) to the same after it."""

    matrix: np.ndarray  # float64 (7, 7)

    @classmethod
    def of(
        cls, linear: np.ndarray, *, by_mean: np.ndarray | float = 0.0, constant: np.ndarray | float = 0.0
    ) -> ColorMatrix:
        """Every pixel becomes linear @ pixel + by_mean @ mean + constant; so does the mean."""
        matrix = np.zeros((7, 7))
        matrix[:3, :3] = linear
        matrix[:3, 3:6] = by_mean
        matrix[3:6, 3:6] = linear + by_mean
        matrix[:6, 6] = constant
        matrix[6, 6] = 1
        return cls(matrix)

    def towards(self, other: ColorMatrix, share: float) -> ColorMatrix:
        """What lies at a share of the way to another colour; beyond it above 1."""
        return ColorMatrix(self.matrix + share * (other.matrix - self.matrix))

    @property
    def stays_in_range(self) -> bool:
        """Whether no picture has a value below black or above white after it, but for rounding."""
        linear, constant = 255 * self.matrix[:3, :6], self.matrix[:3, 6]
        highest, lowest = linear.clip(0).sum(axis=1) + constant, linear.clip(max=0).sum(axis=1) + constant
        return bool(highest.max() < 255.5 and lowest.min() > -0.5)

    def then(self, later: ColorMatrix) -> ColorMatrix:
        """Both at once; nothing is clipped in between."""
        return ColorMatrix(later.matrix @ self.matrix)

    def given(self, mean: Sequence[float] | np.ndarray) -> np.ndarray:
        """The (3, 4) matrix for a picture with this mean RGB."""
        given = self.matrix[:3, :4].copy()
        given[:, 3] = self.matrix[:3, 3:6] @ mean + self.matrix[:3, 6]
        return given

    def as_table(self) -> LookupTable | None:
        """The same value by value; None where channels flow into one another."""
        linear = self.matrix[:3, :3]
        if np.count_nonzero(linear) > np.count_nonzero(linear.diagonal()):
            return None

        def make(counts: np.ndarray) -> np.ndarray:
            mean = LEVELS @ counts / np.maximum(counts.sum(axis=0), 1)
            factors, shift = linear.diagonal(), self.given(mean)[:, 3]
            return as_bytes(LEVELS[:, None] * factors + shift)

        return LookupTable(make, looks=bool(self.matrix[:3, 3:6].any()))


@dataclass(frozen=True)
class LookupTable(Transform):
    """A picture recoloured value by value: `make` takes its counts of each value to what becomes of each value."""

    make: Callable[[np.ndarray], np.ndarray]  # (256, 3) per channel -> uint8 (256, 3)
    looks: bool = False  # whether the table depends on the counts

    @classmethod
    def of(cls, values: np.ndarray) -> LookupTable:
        """One table of 256 values for every picture and channel."""
        table = np.repeat(as_bytes(values)[:, None], 3, axis=1)
        return cls(lambda counts: table)

    def then(self, later: LookupTable) -> LookupTable:
        """Both in one table; the later one sees the counts that the first leaves."""

        def make(counts: np.ndarray) -> np.ndarray:
            first = self.make(counts)
            if later.looks:
                channels = zip(first.T, counts.T, strict=True)
                counts = np.stack([np.bincount(values, of, 256) for values, of in channels], axis=1)
            return np.take_along_axis(later.make(counts), first.astype(np.intp), axis=0)

        return LookupTable(make, self.looks or later.looks)


@dataclass(frozen=True)
class PixelFunction(Transform):
    """Anything else: a pure function from uint8 (H, W, 3) to the same shape – or to `size`, where that is set."""

    apply: Callable[[np.ndarray], np.ndarray]
    size: tuple[int, int] | None = None
    settles: bool = False  # whether every picture gets this size

    def output_view(self, canvas: Canvas) -> Canvas:
        """The canvas that it leaves to the next."""
        seen: Canvas = super().output_view(canvas.resized(*self.size) if self.size else canvas)
        return seen


Draw = Homography | ColorMatrix | LookupTable | PixelFunction
Drawn = Draw | Sequence[Draw] | None
"""What an augmentation returns: nothing where it does not fire, several draws where it is made of several."""

Box = tuple[int, int, int, int]
"""Top, left, height, width."""


def box_of_shape(
    rng: np.random.Generator, canvas: Canvas, share: tuple[float, float], ratio: tuple[float, float]
) -> Box | None:
    """A box with an area and an aspect ratio (log-uniform) at a random place; None if ten tries do not fit."""
    for _ in range(10):
        area = canvas.height * canvas.width * between(rng, *share)
        aspect = math.exp(between(rng, math.log(ratio[0]), math.log(ratio[1])))
        height, width = round(math.sqrt(area / aspect)), round(math.sqrt(area * aspect))
        if 0 < height <= canvas.height and 0 < width <= canvas.width:
            top, left = rng.integers(canvas.height - height + 1), rng.integers(canvas.width - width + 1)
            return int(top), int(left), height, width
    return None


def filtered(name: str, *arguments: Any) -> np.ndarray:
    """Call a function of `ftaug.image.render.filters`, which is imported only now: it is slow to."""
    from ftaug.image.render import filters

    return np.asarray(getattr(filters, name)(*arguments))


def as_bytes(values: np.ndarray) -> np.ndarray:
    """To uint8, rounded and clipped."""
    return np.asarray(np.rint(values).clip(0, 255).astype(np.uint8))


def matrix(rows: Any) -> np.ndarray:
    """A float64 matrix."""
    return np.array(rows, np.float64)
