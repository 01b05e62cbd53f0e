"""Image transforms: homography, color matrix, lookup table and pixel function, which the pipeline fuses.

Coordinates are continuous: the pixel in row i and column j covers [j, j+1) × [i, i+1); width W spans [0, W].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ftaug.augment.transform import Transform, between
from ftaug.config.types import Count, Doc, Fraction, Positive, Probability, Wording

OpProbability = Annotated[Probability, Doc("the chance that the op fires for a picture")]
Border = Annotated[
    Literal["constant", "reflect", "replicate", "inside"],
    Doc(
        "outside the picture: black (constant), its mirror image (reflect) or its edge (replicate); "
        "or zoom in until nothing of it shows (inside)"
    ),
]
Interpolation = Literal["bilinear", "bicubic", "nearest"]
OpInterpolation = Annotated[Interpolation | None, Doc("bilinear, bicubic or nearest; as the weights expect unless set")]


def _in_order(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] > pair[1]:
        raise PydanticCustomError("range", "must be [smallest, largest]")
    return pair


Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), Wording("a share from 0 to 1")]
Strength = Annotated[Share, Doc("the factor is uniform in 1 ± strength")]
Tilt = Annotated[float, Field(ge=0, lt=90, allow_inf_nan=False), Wording("an angle from 0 to below 90 degrees")]
Turns = Annotated[float, Field(ge=0, le=0.5, allow_inf_nan=False), Wording("a share of the color circle from 0 to 0.5")]
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
WindowArea = Annotated[ShareRange, Doc("the smallest and the largest area of the window, as shares of the picture's")]
Extent = Count | tuple[Count, Count] | None
OutputSize = Annotated[Extent, Doc("the result in pixels: a side, or [height, width]; default: what the model takes")]

LEVELS = np.arange(256.0)


class Canvas(NamedTuple):
    """Size of the image as an op receives it, and size of the model's input, both in pixels."""

    height: int
    width: int
    target: tuple[int, int]
    labels: tuple[str, ...] = ()  # current class names of the image; none in evaluation

    def resized(self, height: int, width: int) -> Canvas:
        """Return the canvas with another size."""
        if self.height == height and self.width == width:
            return self
        return Canvas(height, width, self.target, self.labels)  # in a quarter of the time of _replace

    def relabeled(self, labels: tuple[str, ...]) -> Canvas:
        """Return the canvas with other class names."""
        return self._replace(labels=labels)

    def shows(self, classes: Container[str]) -> bool:
        """Return whether the image has one of these classes."""
        return any(name in classes for name in self.labels)

    def extent(self, setting: int | tuple[int, int] | None) -> tuple[int, int]:
        """Return the height and width of a `size:` setting: one number is a square, None is the model's input size."""
        if setting is None:
            return self.target
        return (setting, setting) if isinstance(setting, int) else setting


@dataclass(frozen=True)
class Homography(Transform):
    """Projective transform: the point (x, y, 1) goes to `matrix` times it, on an output canvas of the given size."""

    matrix: np.ndarray  # float64 (3, 3)
    height: int
    width: int
    border: Border | None = None  # padding mode outside the image; None: the op never reads there
    fixes_size: bool = False  # whether every image gets this size, whatever its own
    interpolation: Interpolation | None = None  # None: as the weights expect

    def then(self, later: Homography) -> Homography:
        """Compose with a later homography into one resampling; what the first moved off its canvas can come back."""
        fixes_size = self.fixes_size or later.fixes_size
        border = self.border or later.border
        return Homography(later.matrix @ self.matrix, later.height, later.width, border, fixes_size)

    def by(self, interpolation: Interpolation | None) -> Homography:
        """Return a copy with this interpolation; None keeps the one the pretrained weights expect."""
        return self if interpolation is None else self.changed(interpolation=interpolation)

    def with_fixed_size(self) -> Homography:
        """Return a copy whose size is the same for every image."""
        return self.changed(fixes_size=True)

    def output_view(self, canvas: Canvas) -> Canvas:
        """Return the canvas after this transform."""
        return (super().output_view(canvas) if self.relabels else canvas).resized(self.height, self.width)


@dataclass(frozen=True)
class ColorMatrix(Transform):
    """Affine color transform; `matrix` maps (a pixel's RGB, the image's mean RGB, 1) to the same vector afterwards."""

    matrix: np.ndarray  # float64 (7, 7)

    @classmethod
    def of(
        cls, linear: np.ndarray, *, by_mean: np.ndarray | float = 0.0, constant: np.ndarray | float = 0.0
    ) -> ColorMatrix:
        """Build the transform pixel -> linear @ pixel + by_mean @ mean + constant; the mean is mapped likewise."""
        matrix = np.zeros((7, 7))
        matrix[:3, :3] = linear
        matrix[:3, 3:6] = by_mean
        matrix[3:6, 3:6] = linear + by_mean
        matrix[:6, 6] = constant
        matrix[6, 6] = 1
        return cls(matrix)

    def towards(self, other: ColorMatrix) -> Callable[[float], ColorMatrix]:
        """Return a function that interpolates linearly to another color matrix; a share above 1 extrapolates."""
        difference = other.matrix - self.matrix
        return lambda share: ColorMatrix(self.matrix + share * difference)

    @property
    def stays_in_range(self) -> bool:
        """Return whether results lie in 0…255 for every image, up to rounding, so that nothing is clipped."""
        for *linear, constant in self.matrix[:3].tolist():  # in a sixth of the time of numpy
            lowest = highest = constant
            for factor in linear:
                if factor > 0:
                    highest += 255 * factor
                else:
                    lowest += 255 * factor
            if not (highest < 255.5 and lowest > -0.5):
                return False
        return True

    @property
    def needs_mean(self) -> bool:
        """Return whether the result depends on the image's mean."""
        return any(map(any, self.matrix[:3, 3:6].tolist()))

    def then(self, later: ColorMatrix) -> ColorMatrix:
        """Compose with a later color matrix, without clipping in between."""
        return ColorMatrix(later.matrix @ self.matrix)

    def for_mean(self, mean: Sequence[float] | np.ndarray) -> np.ndarray:
        """Return the affine (3, 4) matrix for an image with this mean RGB."""
        affine = self.for_any_mean
        affine[:, 3] += self.matrix[:3, 3:6] @ mean
        return affine

    @property
    def for_any_mean(self) -> np.ndarray:
        """Return the affine (3, 4) matrix of a transform that needs no mean."""
        affine = self.matrix[:3, :4].copy()
        affine[:, 3] = self.matrix[:3, 6]
        return affine

    def as_table(self) -> LookupTable | None:
        """Return the equivalent lookup table; None where the matrix mixes channels."""
        linear = self.matrix[:3, :3]
        if np.count_nonzero(linear) > np.count_nonzero(linear.diagonal()):
            return None

        def make(counts: np.ndarray) -> np.ndarray:
            mean = LEVELS @ counts / np.maximum(counts.sum(axis=0), 1)
            factors, shift = linear.diagonal(), self.for_mean(mean)[:, 3]
            return as_bytes(LEVELS[:, None] * factors + shift)

        return LookupTable(make, needs_histogram=self.needs_mean)


@dataclass(frozen=True)
class LookupTable(Transform):
    """Per-channel lookup table; `make` computes it from the image's histogram (autocontrast, equalize)."""

    make: Callable[[np.ndarray], np.ndarray]  # histogram (256, 3) -> table uint8 (256, 3)
    needs_histogram: bool = False  # whether the table depends on the image

    @classmethod
    def of(cls, values: np.ndarray) -> LookupTable:
        """Build a fixed table of 256 values for all images and channels."""
        table = np.repeat(as_bytes(values)[:, None], 3, axis=1)
        return cls(lambda counts: table)

    def then(self, later: LookupTable) -> LookupTable:
        """Compose with a later table, whose histogram is computed after the first."""

        def make(counts: np.ndarray) -> np.ndarray:
            first = self.make(counts)
            if later.needs_histogram:
                channels = zip(first.T, counts.T, strict=True)
                counts = np.stack([np.bincount(values, of, 256) for values, of in channels], axis=1)
            return np.take_along_axis(later.make(counts), first.astype(np.intp), axis=0)

        return LookupTable(make, self.needs_histogram or later.needs_histogram)


@dataclass(frozen=True)
class PixelFunction(Transform):
    """Any other transform: a pure function from uint8 (H, W, 3) to the same shape, or to `size` where that is set."""

    apply: Callable[[np.ndarray], np.ndarray]
    size: tuple[int, int] | None = None
    fixes_size: bool = False  # whether every image gets this size, whatever its own

    def output_view(self, canvas: Canvas) -> Canvas:
        """Return the canvas after this transform."""
        result: Canvas = super().output_view(canvas.resized(*self.size) if self.size else canvas)
        return result


Draw = Homography | ColorMatrix | LookupTable | PixelFunction
Drawn = Draw | Sequence[Draw] | None
"""Return type of an augmentation: None where it does not fire, a sequence for a composite."""

Box = tuple[int, int, int, int]
"""Top, left, height, width."""


def box_of_shape(
    rng: np.random.Generator, canvas: Canvas, share: tuple[float, float], ratio: tuple[float, float]
) -> Box | None:
    """Draw a random box with an area share and a log-uniform aspect ratio; None if ten attempts do not fit."""
    for _ in range(10):
        area = canvas.height * canvas.width * between(rng, *share)
        aspect = math.exp(between(rng, math.log(ratio[0]), math.log(ratio[1])))
        height, width = round(math.sqrt(area / aspect)), round(math.sqrt(area * aspect))
        if 0 < height <= canvas.height and 0 < width <= canvas.width:
            top, left = rng.integers(canvas.height - height + 1), rng.integers(canvas.width - width + 1)
            return int(top), int(left), height, width
    return None


def filtered(name: str, *arguments: Any) -> np.ndarray:
    """Call a function of `ftaug.image.render.filters`."""
    return np.asarray(getattr(_filters(), name)(*arguments))


@cache
def _filters() -> ModuleType:
    """Import the filters once and only here, because OpenCV takes long to import."""
    from ftaug.image.render import filters

    return filters


def as_bytes(values: np.ndarray) -> np.ndarray:
    """Round and clip to uint8."""
    return np.asarray(np.rint(values).clip(0, 255).astype(np.uint8))


def matrix(rows: Any) -> np.ndarray:
    """Return a float64 array."""
    return np.array(rows, np.float64)
