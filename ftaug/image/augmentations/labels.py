"""Class-dependent augmentation settings: `except` (classes an op skips) and `label_map` (classes a flip swaps)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from ftaug.config.registry import FrozenDict
from ftaug.config.types import Doc, Text, Wording


def swaps(label_map: Mapping[str, str]) -> dict[str, str]:
    """Return the label map in both directions, since a flip is its own inverse."""
    return {**{new: old for old, new in label_map.items()}, **label_map}


def _in_pairs(label_map: dict[str, str]) -> dict[str, str]:
    both = swaps(label_map)
    if any(both[new] != old or old == new for old, new in both.items()):
        raise PydanticCustomError("pairs", "must be pairs of classes")
    return label_map


Classes = Annotated[tuple[Text, ...], Doc("classes that are left alone")]
NeverMirrored = Annotated[Classes, Doc("classes that are never mirrored")]
LabelMap = Annotated[
    Mapping[str, Text],
    AfterValidator(_in_pairs),
    Wording("pairs such as {left: right}, no class in two of them"),
    Doc("classes that a mirrored picture swaps, both ways, such as {left_arrow: right_arrow}"),
]
NO_SWAPS: Mapping[str, str] = FrozenDict()
