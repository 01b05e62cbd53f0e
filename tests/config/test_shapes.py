"""The settings of functions and the fields of dataclasses: their types can be written in YAML."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from ftaug.config.shapes import dataclass_shape, function_shape
from ftaug.config.types import Count, Duration, FilePath, Text


@dataclass(frozen=True)
class Plan:
    layers: tuple[Text, ...]
    from_: Duration = Duration(0, "steps")


@dataclass(frozen=True)
class Inner:
    count: Count = 1


def test_a_trailing_underscore_is_not_in_the_file():
    assert list(dataclass_shape(Plan).annotations) == ["layers", "from"]


def with_setting(annotation: object) -> Callable[..., None]:
    def odd(x, *, setting=None):
        """Be odd.

        Settings:
            setting: a
        """

    odd.__annotations__["setting"] = annotation
    return odd


@pytest.mark.parametrize(
    "annotation", [Callable, set[int], complex, dict[int, int], tuple[object, ...], int | bytes, "NotThere", Any]
)
def test_types_that_no_yaml_can_hold_are_refused(annotation):
    with pytest.raises(TypeError, match=r"odd: the type of 'setting', "):
        function_shape(with_setting(annotation))


@pytest.mark.parametrize(
    "annotation",
    [int, "float | None", list[str], dict[str, float], Literal["a", 1], FilePath, "tuple[int, int] | int", Inner],
)
def test_types_that_yaml_can_hold(annotation):
    assert "setting" in function_shape(with_setting(annotation)).annotations
