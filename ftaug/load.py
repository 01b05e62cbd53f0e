"""Path and overrides → Experiment, with every problem of the two reported at once."""

from __future__ import annotations

import importlib
import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ftaug.config import overrides as edits
from ftaug.config import yaml_document
from ftaug.config.build import Faults, in_order, read
from ftaug.config.experiment import Experiment
from ftaug.config.plugins import PluginFailed, import_plugin
from ftaug.config.problems import predicate
from ftaug.config.schema import check_components, word_as_list
from ftaug.config.types import absolute_plugin
from ftaug.errors import ExperimentError, first_of

SHARED = (
    "ftaug.augment.compose",
    "ftaug.augment.mix_choice",
    *(
        f"ftaug.components.{name}"
        for name in (
            "optimizers",
            "schedules",
            "losses",
            "objectives",
            "metrics",
            "samplers",
            "peft",
            "exporters",
        )
    ),
)
MODALITIES = {
    "image": ("ftaug.image.datasets", "ftaug.image.backbones", "ftaug.image.augmentations"),
    "text": ("ftaug.text.datasets", "ftaug.text.backbones", "ftaug.text.augmentations", "ftaug.text.objectives"),
}


def load(
    path: str | Path, overrides: Sequence[str] = (), *, plugins: bool = True, trust_plugins: bool = False
) -> Experiment:
    """Read an experiment file and apply overrides; raises ExperimentError with all that is wrong, or MissingInput."""
    text, shown = yaml_document.read(path), str(path)
    if shown == yaml_document.STANDARD_INPUT:
        path, shown = "experiment", "standard input"
    path = Path(path)
    written, problems = yaml_document.scan(text, shown)
    edited, refused = edits.apply(written, overrides)
    folder = path.absolute().parent
    modality = edited.tree.get("modality", "image")
    modality = modality if isinstance(modality, str) and modality in MODALITIES else "image"
    import_components(modality)
    listed = word_as_list(edited.tree.get("plugins"))
    named = [(i, p) for i, p in enumerate(listed if isinstance(listed, list) else []) if isinstance(p, str) and p]
    if named and plugins and not trust_plugins:
        _refuse_strangers(path)
    faults = _import_plugins(named, folder) if plugins else []
    missing = [plugin for i, plugin in named if not plugins or ("plugins", i) in dict(faults)]
    context: dict[str, Any] = {
        "folder": folder,
        "modality": modality,
        "missing_plugins": missing,
        "other_modalities": lambda: _import_others(modality),
        "unknown_names": itertools.count(),
    }
    experiment, found = read(edited, path, context, faults)
    if experiment is None or problems or refused or found:
        raise ExperimentError(*first_of(in_order([*problems, *refused, *found])))
    return experiment


def import_components(modality: str) -> None:
    """Import all that registers components for a modality."""
    for module in (*MODALITIES[modality], *SHARED):
        importlib.import_module(module)


def _import_others(modality: str) -> list[str]:
    """Import what the other modalities register; returns their names."""
    others = [other for other in MODALITIES if other != modality]
    for other in others:
        import_components(other)
    return others


def _refuse_strangers(path: Path) -> None:
    """Raise ExperimentError for another user's run folder that lists plugins: importing them runs their code."""
    if path.name == "resolved.yaml" and hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
        raise ExperimentError(
            f"{path.parent}: belongs to another user and runs the plugins it lists; read them, then use --trust-plugins"
        )


def _import_plugins(named: list[tuple[int, str]], folder: Path) -> Faults:
    """Import plugins; returns what is wrong with those that fail."""
    faults: Faults = []
    for index, plugin in named:
        origin = absolute_plugin(plugin, folder)
        try:
            import_plugin(origin)
            check_components(origin)
        except (PluginFailed, TypeError) as error:
            faults.append((("plugins", index), predicate(f"({plugin}) {error}")))
    return faults
