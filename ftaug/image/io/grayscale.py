"""Map grayscale values of more than 8 bits to 0…255, with one value range for a data set."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ftaug.config.types import Doc, Wording
from ftaug.errors import BadData


def _differ(pair: tuple[float, float]) -> tuple[float, float]:
    if pair[0] == pair[1]:
        raise PydanticCustomError("value_range", "must be two different numbers, [black, white]")
    return pair


Finite = Annotated[float, Field(allow_inf_nan=False), Wording("a number")]
ValueRange = Annotated[tuple[Finite, Finite], AfterValidator(_differ), Wording("[black, white], two different numbers")]
GrayRange = Annotated[
    ValueRange | None,
    Doc(
        "the values that are black and white in gray pictures of more than 8 bits, such as [0, 4095] or [-1000, 400]; "
        "values beyond are clipped. Unless set, pictures of up to 16 bits span all values of their bits, and 32-bit "
        "and floating-point ones are refused"
    ),
]


def to_levels(values: np.ndarray, value_range: ValueRange | None) -> np.ndarray:
    """Scale values linearly, black to 0 and white to 255, rounded and clipped; raises BadData without a range.

    A range per image would map the same value to different levels in different images.
    """
    values = values.astype(np.float64)
    if np.isnan(values).any():
        raise BadData("has values that are not numbers (NaN): replace them first")
    if value_range is None:
        raise BadData(
            f"the black and white of its values ({values.min():g} to {values.max():g} here) are not known: "
            "set value_range: [black, white] of the data set, or save the pictures with 8 or 16 bits"
        )
    black, white = value_range
    return np.asarray(np.rint((values - black) * (255 / (white - black))).clip(0, 255).astype(np.uint8))


def gray(levels: np.ndarray) -> np.ndarray:
    """Repeat levels (H, W) to three equal channels: uint8 (H, W, 3)."""
    return np.repeat(levels[..., None], 3, axis=2)
