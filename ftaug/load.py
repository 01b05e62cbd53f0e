"""Path and overrides → Experiment, with every problem of the two reported at once."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ftaug.config import document, overrides as edits
from ftaug.config.checks import check
from ftaug.config.document import Document, Where
from ftaug.config.experiment import Experiment
from ftaug.config.plugins import PluginFailed, import_plugin
from ftaug.config.registry import Component
from ftaug.config.schema import Fault, dataclass_shape, predicate
from ftaug.config.types import absolute_plugin
from ftaug.errors import ExperimentError, Place, Problem

SHARED = tuple(f"ftaug.components.{name}" for name in ("optimizers", "schedules", "losses", "metrics", "exporters"))
MODALITIES = {"image": ("ftaug.image.datasets", "ftaug.image.backbones", "ftaug.image.augmentations")}


def load(path: str | Path, overrides: Sequence[str] = (), *, plugins: bool = True) -> Experiment:
    """Read an experiment file and apply overrides; raises ExperimentError with all that is wrong, or MissingInput."""
    path = Path(path)
    written, problems = document.scan(document.read(path), str(path))
    edited, wrong_overrides = edits.apply(written, overrides)
    problems += wrong_overrides
    folder = path.absolute().parent
    modality = edited.tree.get("modality")
    modality = modality if modality in MODALITIES else "image"
    import_components(modality)
    faults = list(_import_plugins(edited.tree, folder)) if plugins else []
    tree = _with_chosen_values(edited.tree, path)
    context = {"folder": folder, "modality": modality}
    experiment, found = read(tree, context)
    faults += found
    problems += [_problem(edited, where, fault) for where, fault in faults]
    if problems or experiment is None:
        raise ExperimentError(*sorted(set(problems), key=_order))
    return placed(experiment, (), edited)


def import_components(modality: str) -> None:
    """Import all that registers components for a modality."""
    for module in (*MODALITIES[modality], *SHARED):
        importlib.import_module(module)


def read(tree: dict[str, Any], context: dict[str, Any]) -> tuple[Experiment | None, list[tuple[Where, Fault]]]:
    """Make the experiment of a tree, or list what is wrong with it, contradictions between sound parts included."""
    from ftaug.config.schema import read_tree

    try:
        experiment = read_tree(Experiment, tree, context)
    except ValidationError as error:
        faults: list[tuple[Where, Fault]] = [(line["loc"], line["input"]) for line in error.errors()]
        return None, faults + list(check_sound_parts(tree, faults, context))
    return experiment, list(check(experiment))


def check_sound_parts(tree: dict[str, Any], faults: list[tuple[Where, Fault]], context: dict[str, Any]) -> Iterator[tuple[Where, Fault]]:
    """Look for contradictions in what remains when the faulty parts are taken out."""
    return iter(())


def _import_plugins(tree: dict[str, Any], folder: Path) -> Iterator[tuple[Where, Fault]]:
    """Import what the file lists as plugins; yields those that fail."""
    named = tree.get("plugins")
    for index, plugin in enumerate(named if isinstance(named, list) else []):
        if isinstance(plugin, str) and plugin:
            try:
                import_plugin(absolute_plugin(plugin, folder))
            except PluginFailed as error:
                yield ("plugins", index), Fault("", f"'{plugin}' {error}", "self")


def _with_chosen_values(tree: dict[str, Any], path: Path) -> dict[str, Any]:
    """Fill in what follows from other values: the name from the file's, the best metric from the first one."""
    chosen = dict(tree)
    chosen.setdefault("name", re.sub(r"[^\w.+-]|^[^\w]", "_", path.stem)[:100] or "experiment")
    return chosen


def placed(value: Any, where: Where, source: Document) -> Any:
    """The same value, each component knowing where it was written."""
    if isinstance(value, Component):
        inside = (*where, value.name)
        settings = {key: placed(item, (*inside, key), source) for key, item in value.settings.items()}
        at = source.place(inside, of_key=True) if inside in source.places else source.place(where)
        return dataclasses.replace(value, settings=settings, place=at if where in source.places else None)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: placed(getattr(value, f.name), (*where, f.name.rstrip("_")), source) for f in dataclasses.fields(value)}
        return dataclasses.replace(value, **fields)
    if isinstance(value, tuple):
        return tuple(placed(item, (*where, index), source) for index, item in enumerate(value))
    return value


def _problem(source: Document, where: Where, fault: Fault) -> Problem:
    return Problem(fault.sentence(where), source.place(where, of_key=fault.at_key))


def _order(problem: Problem) -> tuple[Any, ...]:
    """The file's problems from top to bottom, then those of the overrides."""
    place = problem.place or Place("")
    return place.file.startswith("override"), place.file, place.line or 0, place.column or 0, problem.message
