"""Base class of transforms: immutable values with the parameters that an augmentation drew for a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, Self, TypeVar

import numpy as np

from ftaug.config.registry import FrozenDict
from ftaug.config.types import Doc, Positive, Probability

ChoiceWeights = Annotated[
    tuple[Positive, ...] | None, Doc("relative frequency of each choice, one number each; equal unless set")
]
MixProbability = Annotated[Probability, Doc("the chance that a step is mixed")]


class Seen(Protocol):
    """View of a sample that an augmentation draws from, such as an image's size and class names."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    def relabeled(self, labels: tuple[str, ...]) -> Self:
        """Return a copy with other class names."""


SeenT = TypeVar("SeenT", bound=Seen)


@dataclass(frozen=True, kw_only=True)
class Transform:
    """A transform with its parameters drawn, ready to be applied to a sample."""

    values: Mapping[str, float | str] = FrozenDict()  # drawn parameters by name, for reports and previews
    relabels: Mapping[str, str] = FrozenDict()  # class name before -> class name after the transform

    def with_params(self, **values: float | str) -> Self:
        """Return a copy with the drawn parameters in `values`."""
        return self.changed(values=FrozenDict(values))

    def changed(self, **fields: Any) -> Self:
        """Return a copy with other values of fields."""
        copy = object.__new__(type(self))  # a sixth of the time of dataclasses.replace
        vars(copy).update(vars(self), **fields)
        return copy

    def output_view(self, seen: Any) -> Any:
        """Return the sample's view after this transform, from the view before it."""
        if not self.relabels:
            return seen
        return seen.relabeled(tuple(self.relabels.get(name, name) for name in seen.labels))


DrawT = TypeVar("DrawT", bound=Transform)


def happens(rng: np.random.Generator, probability: float) -> bool:
    """Return True with the given probability; consume exactly one random number either way."""
    return bool(rng.random() < probability)


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw uniformly from [low, high): the same number as `rng.uniform`, in a third of the time."""
    return float(low + (high - low) * rng.random())


def each(drawn: DrawT | Sequence[DrawT] | None) -> Sequence[DrawT]:
    """Normalize the return value of an augmentation (None, one transform or several) to a sequence."""
    if drawn is None:
        return ()
    return (drawn,) if isinstance(drawn, Transform) else drawn


def namespaced(name: str, drawn: DrawT | Sequence[DrawT] | None) -> list[DrawT]:
    """Return the transforms of a nested op, their parameters prefixed with the op's name, as in `rotate.degrees`."""
    transforms = each(drawn)
    return [
        draw.changed(values=FrozenDict({f"{name}.{key}": draw.values[key] for key in draw.values} or {name: "done"}))
        for draw in transforms
    ]


def after(seen: SeenT, drawn: Transform | Sequence[Transform] | None) -> SeenT:
    """Return the view of a sample after the given transforms."""
    draws: Sequence[Transform] = each(drawn)
    for draw in draws:
        seen = draw.output_view(seen)
    return seen
