"""The sections of an experiment file: every nested mapping, by its dotted path."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, get_args

from ftaug.config.annotations import Kind, is_component, is_section
from ftaug.config.experiment import Experiment
from ftaug.config.shapes import dataclass_shape

TOP = "experiment"
"""What `ftaug list` calls the upper level."""


@functools.cache
def sections() -> dict[str, tuple[type, ...]]:
    """Return the dataclasses of each section; several are alternatives (`data.val` is a split or a fold)."""
    classes: dict[str, tuple[type, ...]] = {TOP: (Experiment,)}
    for path, cls in _below(Experiment, ""):
        if cls not in classes.get(path, ()):
            classes[path] = (*classes.get(path, ()), cls)
    return classes


def _below(cls: type, path: str) -> Iterator[tuple[str, type]]:
    for key, annotation in dataclass_shape(cls).annotations.items():
        where = f"{path}.{key}" if path else key
        for inner in _leaves(annotation):
            if isinstance(inner, type) and is_section(inner):
                yield where, inner
                yield from _below(inner, where)


def kinds_of(annotation: Any) -> list[str]:
    """Return the component kinds that a type may be or contain."""
    return list(dict.fromkeys(leaf.kind for leaf in _leaves(annotation) if isinstance(leaf, Kind)))


def _leaves(annotation: Any) -> Iterator[Any]:
    """Yield the types and markers that an annotation consists of."""
    if isinstance(annotation, type | Kind):
        yield annotation
    arguments = get_args(annotation)
    for argument in arguments[1:] if is_component(annotation) else arguments:
        yield from _leaves(argument)
