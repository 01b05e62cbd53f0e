"""What augmentations of any modality draw: values that say what to do with a sample, and tell it to people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

import numpy as np

from ftaug.config.registry import FrozenDict


class Seen(Protocol):
    """What an augmentation sees of a sample."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    def relabelled(self, labels: tuple[str, ...]) -> Self:
        """The same, of other classes."""


SeenT = TypeVar("SeenT", bound=Seen)


@dataclass(frozen=True, kw_only=True)
class Transform:
    """What a draw tells of itself."""

    values: Mapping[str, float | str] = FrozenDict()  # what was drawn, for people
    relabels: Mapping[str, str] = FrozenDict()  # the classes that are others after it

    def with_params(self, **values: float | str) -> Self:
        """The same draw, telling what was drawn."""
        told = object.__new__(type(self))  # a sixth of the time of dataclasses.replace
        vars(told).update(vars(self), values=FrozenDict(values))
        return told

    def output_view(self, seen: Any) -> Any:
        """What the next augmentation sees after it."""
        if not self.relabels:
            return seen
        return seen.relabelled(tuple(self.relabels.get(name, name) for name in seen.labels))


DrawT = TypeVar("DrawT", bound=Transform)


def happens(rng: np.random.Generator, probability: float) -> bool:
    """Whether an op fires; one number is drawn in either case."""
    return bool(rng.random() < probability)


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """A number uniform in [low, high): what `rng.uniform` draws, in a third of the time."""
    return float(low + (high - low) * rng.random())


def each(drawn: DrawT | Sequence[DrawT] | None) -> Sequence[DrawT]:
    """The draws of an augmentation, be they none, one or several."""
    if drawn is None:
        return ()
    return (drawn,) if isinstance(drawn, Transform) else drawn


def namespaced(name: str, drawn: DrawT | Sequence[DrawT] | None) -> list[DrawT]:
    """The draws of an op inside another one, which tell whose they are."""
    own = each(drawn)
    return [
        draw.with_params(**({f"{name}.{key}": draw.values[key] for key in draw.values} or {name: "done"}))
        for draw in own
    ]


def after(seen: SeenT, drawn: Transform | Sequence[Transform] | None) -> SeenT:
    """What is seen after some draws."""
    draws: Sequence[Transform] = each(drawn)
    for draw in draws:
        seen = draw.output_view(seen)
    return seen
