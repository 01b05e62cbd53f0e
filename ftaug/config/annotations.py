"""Inspect the type annotations of settings."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from ftaug.config.types import Doc
from ftaug.config.yaml_document import Where


@dataclasses.dataclass(frozen=True)
class Kind:
    """Marks a setting that is a component: a name, or one key with its settings."""

    kind: str


def evaluated(function: Callable[..., Any], annotation: Any) -> Any:
    """Return the type of a parameter; a string, as under `from __future__ import annotations`, is evaluated."""
    if isinstance(annotation, str):
        return eval(_compiled(annotation), inspect.unwrap(function).__globals__)
    return annotation


@functools.cache
def _compiled(annotation: str) -> types.CodeType:
    """Compile an annotation once: it takes most of the time, and hundreds of settings have the same few."""
    return compile(annotation, "<annotation>", "eval")


def doc(annotation: Any) -> str:
    """Return the explanation that a type carries, or an empty string."""
    marks = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return next((mark.text for mark in reversed(marks) if isinstance(mark, Doc)), "")


def annotation_at(annotations: Mapping[str, Any], where: Where) -> Any:
    """The annotation of a value inside one of the settings."""
    annotation = annotations[str(where[0])]
    for step in where[1:]:
        while get_origin(annotation) is Annotated or is_union(annotation):
            annotation = next(a for a in get_args(annotation) if a is not types.NoneType)
        arguments = get_args(annotation)
        if is_mapping(get_origin(annotation)):
            annotation = arguments[1]
        elif isinstance(step, int) and arguments:
            annotation = arguments[0] if len(arguments) == 1 or arguments[-1] is Ellipsis else arguments[step]
    return annotation


def is_section(annotation: Any) -> bool:
    """Whether the annotation is a dataclass whose fields are keys in YAML."""
    return dataclasses.is_dataclass(annotation) and not hasattr(annotation, "__get_pydantic_core_schema__")


def is_union(annotation: Any) -> bool:
    """Whether the annotation is `A | B`."""
    return get_origin(annotation) in (Union, types.UnionType)


def is_mapping(origin: Any) -> bool:
    """Whether the origin of an annotation is a mapping."""
    return isinstance(origin, type) and issubclass(origin, Mapping)


def is_list(annotation: Any) -> bool:
    """Whether the annotation is a list of any length."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return get_origin(annotation) is list or (get_origin(annotation) is tuple and get_args(annotation)[-1] is Ellipsis)


def is_list_of_words(annotation: Any) -> bool:
    """Whether the annotation is a list of any length of words, such as `[layer4, head]`."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return is_list(annotation) and _is_word(get_args(annotation)[0])


def _is_word(annotation: Any) -> bool:
    """Whether the type accepts a string but no number."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if is_component(annotation):
        return True
    if origin is Annotated:
        return _is_word(arguments[0])
    if is_union(annotation):
        return any(map(_is_word, arguments)) and not {int, float}.intersection(map(_bare, arguments))
    if origin is Literal:
        return all(isinstance(value, str) for value in arguments)
    return annotation in (str, Path) or hasattr(annotation, "parse")


def _bare(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def is_component(annotation: Any) -> bool:
    """Whether the annotation is a component of a kind."""
    return get_origin(annotation) is Annotated and any(isinstance(m, Kind) for m in get_args(annotation)[1:])


def holdable(annotation: Any) -> bool:
    """Whether values of the type can be written in YAML."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return is_component(annotation) or holdable(arguments[0])
    if origin is Literal:
        return True
    if origin is not None and (is_union(annotation) or origin in (tuple, list)):
        return all(a is Ellipsis or holdable(a) for a in arguments)
    if is_mapping(origin):
        return arguments[0] is str and holdable(arguments[1])
    if annotation in (int, float, str, bool, Path, types.NoneType, None):
        return True
    return dataclasses.is_dataclass(annotation) or hasattr(annotation, "__get_pydantic_core_schema__")
