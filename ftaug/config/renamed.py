"""Former names of keys, components and random streams, and the translation of files that earlier versions wrote."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ftaug.config.yaml_document import Document, Where

KEYS = {
    "distil": "distillation",
    "data.augment_on": "data.augment_device",
    "evaluate.views": "evaluate.tta",
    "train.accumulate": "train.gradient_accumulation",
    "train.tensorboard": "loggers",
}
"""The dotted path of each renamed key of the experiment, and its present one."""

COMPONENTS = {
    "loss": {"squared_error": "mse", "absolute_error": "mae"},
    "metric": {"calibration_error": "ece"},
}
"""By kind, the former name of each renamed component, and its present one."""

KINDS = {"loss": "loss", "evaluate.metrics": "metric", "evaluate.best": "metric"}
"""The kind of the components at a path of the experiment."""

STREAMS = {"color_jitter": "colour_jitter", "colors": "colours", "neighbors": "neighbours"}
"""The former name of each renamed random stream, which still keys it, so that draws stay the same."""


@functools.cache
def stream_key(name: str) -> str:
    """Return the key of a random stream: its name, with former names, such as `colour_jitter#1`."""
    return re.sub(r"\w+", lambda word: STREAMS.get(word[0], word[0]), name)


def with_current_names(document: Document) -> Document:
    """Return the document with present names in place of former ones.

    Only for files that ftaug wrote: in a user's file a former name is an error that shows the present one.
    """
    places = {_current_path(where): place for where, place in document.places.items()}
    return dataclasses.replace(document, tree=_current(_with_loggers(document.tree), ()), places=places)


def _with_loggers(tree: Any) -> Any:
    """Return the tree of an experiment with `loggers: [tensorboard]` in place of `train.tensorboard: true`."""
    train = tree.get("train") if isinstance(tree, dict) else None
    if not isinstance(train, dict) or "tensorboard" not in train:
        return tree
    rest = {key: value for key, value in train.items() if key != "tensorboard"}
    return {**tree, "train": rest, **({"loggers": ["tensorboard"]} if train["tensorboard"] is True else {})}


def with_current_metrics(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of metrics with present names in place of former ones."""
    return {COMPONENTS["metric"].get(name, name): value for name, value in values.items()}


def _current(value: Any, where: Where) -> Any:
    if isinstance(value, dict):
        return {_current_name(where, key): _current(item, (*where, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_current(item, where) for item in value]
    return _current_name(where, value) if isinstance(value, str) else value


def _current_path(where: Where) -> Where:
    return tuple(_current_name(where[:index], step) for index, step in enumerate(where))


def _current_name(where: Where, name: Any) -> Any:
    """Return the present name of a key or component in the mapping or list at a path."""
    path = ".".join(step for step in where if isinstance(step, str))
    key = KEYS.get(f"{path}.{name}" if path else str(name))
    return key.rpartition(".")[2] if key else COMPONENTS.get(KINDS.get(path, ""), {}).get(name, name)
