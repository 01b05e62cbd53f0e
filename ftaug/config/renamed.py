"""Former names of keys, components and random streams, and the translation of files that earlier versions wrote."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ftaug.config.yaml_document import Document, Where

KEYS = {
    "distil": "distillation",
    "data.augment_on": "data.augment_device",
    "evaluate.views": "evaluate.tta",
    "train.accumulate": "train.gradient_accumulation",
}
"""The dotted path of each renamed key of the experiment, and its present one."""


def with_current_names(document: Document) -> Document:
    """Return the document with present names in place of former ones.

    Only for files that ftaug wrote: in a user's file a former name is an error that shows the present one.
    """
    places = {_current_path(where): place for where, place in document.places.items()}
    return dataclasses.replace(document, tree=_current(document.tree, ()), places=places)


def _current(value: Any, where: Where) -> Any:
    if isinstance(value, dict):
        return {_current_key(where, key): _current(item, (*where, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_current(item, where) for item in value]
    return value


def _current_path(where: Where) -> Where:
    return tuple(_current_key(where[:index], step) for index, step in enumerate(where))


def _current_key(where: Where, key: str | int) -> Any:
    """Return the present name of a key in the mapping at a path."""
    return KEYS.get(".".join(map(str, (*where, key))), "").rpartition(".")[2] or key
