"""Load an Experiment from a file and overrides, reporting all problems at once."""

from __future__ import annotations

import importlib
import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ftaug.config import overrides as edits
from ftaug.config import yaml_document
from ftaug.config.build import Faults, in_order, read
from ftaug.config.experiment import Experiment
from ftaug.config.plugins import PluginFailed, import_plugin
from ftaug.config.problems import predicate
from ftaug.config.renamed import with_current_names
from ftaug.config.schema import check_components
from ftaug.config.search_space import Space, filled, find_spaces, places_of_invalid
from ftaug.config.shapes import word_as_list
from ftaug.config.types import absolute_plugin
from ftaug.config.yaml_document import Document
from ftaug.errors import ExperimentError, Place, Problem, first_of

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
            "self_supervised",
            "semi_supervised",
            "metrics",
            "regression_metrics",
            "samplers",
            "peft",
            "exporters",
            "loggers",
        )
    ),
)
MODALITIES = {
    "image": (
        "ftaug.image.datasets",
        "ftaug.image.backbones",
        "ftaug.image.augmentations",
        "ftaug.image.explainers",
    ),
    "text": (
        "ftaug.text.datasets",
        "ftaug.text.backbones",
        "ftaug.text.augmentations",
        "ftaug.text.objectives",
        "ftaug.text.explainers",
    ),
    "audio": (
        "ftaug.audio.datasets",
        "ftaug.audio.backbones",
        "ftaug.audio.augmentations",
        "ftaug.image.backbones",  # networks for pictures see the spectrograms
    ),
}

RESOLVED = "resolved.yaml"
"""The experiment in a run folder, which an earlier version may have written."""


@dataclass(frozen=True)
class ExperimentFile:
    """An experiment file, parsed once; experiments are built from it with any overrides."""

    path: Path
    text: str
    document: Document
    problems: Sequence[Problem]  # of the YAML itself
    plugins: bool  # whether to import them
    trust_plugins: bool

    def spaces(self, overrides: Sequence[str] = ()) -> list[Space]:
        """Return the search spaces that overrides leave; raises ExperimentError."""
        edited, refused = edits.apply(self.document, overrides)
        spaces, invalid = find_spaces(edited)
        if self.problems or refused or invalid:
            raise self._error([*refused, *invalid, *self._problems_beside(edited, spaces)])
        return spaces

    def named_component(self, key: str, overrides: Sequence[str] = ()) -> tuple[str | None, str]:
        """Return the name of a component as it is written, None if there is none, and the modality, both unchecked."""
        edited, _ = edits.apply(self.document, overrides)
        value, modality = edited.tree.get(key), _modality_of(edited)
        import_components(modality)
        return next(iter(value), None) if isinstance(value, dict) else value, modality

    def experiment(self, overrides: Sequence[str] = (), places: Mapping[str, Place] | None = None) -> Experiment:
        """Apply overrides and build the experiment; raises ExperimentError with all problems at once.

        `places` has the source of those overrides whose values are from the file.
        """
        edited, refused = edits.apply(self.document, overrides, places)
        spaces, invalid = find_spaces(edited)
        if spaces or invalid:
            text = "is a search space: `ftaug search` tries its values; to set one"
            unset = [Problem(f"{space.key} {text}: {space.example}", space.place) for space in spaces]
            raise self._error([*refused, *invalid, *unset, *self._problems_beside(edited, spaces)])
        experiment, problems = self._read(edited)
        if experiment is None or self.problems or refused or problems:
            raise self._error([*refused, *problems])
        return experiment

    def _error(self, problems: Sequence[Problem]) -> ExperimentError:
        """Return the error of these problems and those of the YAML, in the order of the file."""
        return ExperimentError(*first_of(in_order([*self.problems, *problems])))

    def _problems_beside(self, document: Document, spaces: Sequence[Space]) -> list[Problem]:
        """Return the problems of a file with a value in place of each space; those of invalid ones are known."""
        known = places_of_invalid(document, spaces)
        return [problem for problem in self._read(filled(document, spaces))[1] if problem.place not in known]

    def _read(self, document: Document) -> tuple[Experiment | None, list[Problem]]:
        """Import components and plugins, and build the experiment or collect its problems."""
        folder = self.path.absolute().parent
        modality = _modality_of(document)
        import_components(modality)
        listed = word_as_list(document.tree.get("plugins"))
        named = [(i, p) for i, p in enumerate(listed if isinstance(listed, list) else []) if isinstance(p, str) and p]
        if named and self.plugins and not self.trust_plugins:
            _refuse_strangers(self.path)
        faults = _import_plugins(named, folder) if self.plugins else []
        context: dict[str, Any] = {
            "folder": folder,
            "modality": modality,
            "missing_plugins": [p for i, p in named if not self.plugins or ("plugins", i) in dict(faults)],
            "other_modalities": lambda: import_others(modality),
            "unknown_names": itertools.count(),
        }
        return read(document, self.path, context, faults)


def open_experiment(path: str | Path, *, plugins: bool = True, trust_plugins: bool = False) -> ExperimentFile:
    """Parse an experiment file; raises MissingInput."""
    text, shown = yaml_document.read(path), str(path)
    if shown == yaml_document.STANDARD_INPUT:
        path, shown = "experiment", "standard input"
    document, problems = yaml_document.scan(text, shown)
    path = Path(path)
    if path.name == RESOLVED:
        document = with_current_names(document)
    return ExperimentFile(path, text, document, problems, plugins, trust_plugins)


def load(
    path: str | Path, overrides: Sequence[str] = (), *, plugins: bool = True, trust_plugins: bool = False
) -> Experiment:
    """Read an experiment file and apply overrides; raises ExperimentError with all that is wrong, or MissingInput."""
    return open_experiment(path, plugins=plugins, trust_plugins=trust_plugins).experiment(overrides)


def import_components(modality: str) -> None:
    """Import the modules that register components of a modality."""
    for module in (*MODALITIES[modality], *SHARED):
        importlib.import_module(module)


def import_others(modality: str) -> list[str]:
    """Import the components of all other modalities; return the names of those modalities."""
    others = [other for other in MODALITIES if other != modality]
    for other in others:
        import_components(other)
    return others


def _modality_of(document: Document) -> str:
    modality = document.tree.get("modality", "image")
    return modality if isinstance(modality, str) and modality in MODALITIES else "image"


def _refuse_strangers(path: Path) -> None:
    """Raise ExperimentError for another user's run folder that lists plugins: importing them runs their code."""
    if path.name == RESOLVED and hasattr(os, "getuid") and path.stat().st_uid != os.getuid():
        raise ExperimentError(
            f"{path.parent}: belongs to another user and runs the plugins it lists; read them, then use --trust-plugins"
        )


def _import_plugins(named: list[tuple[int, str]], folder: Path) -> Faults:
    """Import plugins; return the problems of those that fail."""
    faults: Faults = []
    for index, plugin in named:
        origin = absolute_plugin(plugin, folder)
        try:
            import_plugin(origin)
            check_components(origin)
        except (PluginFailed, TypeError) as error:
            faults.append((("plugins", index), predicate(f"({plugin}) {error}")))
    return faults
