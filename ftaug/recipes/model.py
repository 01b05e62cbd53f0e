"""Resolve the backbone and weights requested by `ftaug init`."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import Parameter
from pathlib import Path
from typing import Any

from ftaug.config.registry import Entry, Registry
from ftaug.data.folders.named import relative_path
from ftaug.errors import ExperimentError, MissingInput, did_you_mean, one_of
from ftaug.interfaces.modality import RequestedModel
from ftaug.recipes.recipe import Model
from ftaug.weights import SUFFIXES, is_file


def requested_name(requested: RequestedModel) -> str | None:
    """Return the name of the requested backbone; raises ExperimentError for --weights without --backbone."""
    if requested.backbone is None and requested.weights is not None:
        raise ExperimentError("--weights needs --backbone, the network of these weights")
    return requested.backbone


def registered(backbones: Registry, name: str, further: Sequence[str] = ()) -> Entry:
    """Look up a registered backbone; raises ExperimentError with a suggestion, also of `further` names."""
    if name in backbones:
        return backbones[name]
    if name in backbones.prefixes:
        raise ExperimentError(f"--backbone {name} is an incomplete name; expected {name}NAME")
    names = [*further, *backbones, *(f"{prefix}NAME" for prefix in backbones.prefixes)]
    hint = did_you_mean(name, names, "ftaug list backbone")
    raise ExperimentError(f"--backbone: no {backbones.modality} backbone '{name}'{hint}")


def model_folder(name: str, target: Path, files: Sequence[str]) -> str | None:
    """Return a folder of transformers, relative to the experiment file `target`; None if the name is not of a folder.

    Raises MissingInput for a folder that does not exist or lacks one of the files.
    """
    folder = Path(name).expanduser()
    if not name.startswith((".", "/", "~")) and not folder.is_dir():
        return None
    if not all((folder / file).is_file() for file in files):
        expected = " and ".join([", ".join(files), "model.safetensors"])
        raise MissingInput(f"--backbone: no model in {name}: expected a folder with {expected}")
    path = relative_path(folder, target)
    return path if path.startswith(".") else f"./{path}"


def model(entry: Entry, weights: str | None, target: Path, **settings: Any) -> Model:
    """Return a backbone with requested or default weights; paths are relative to the experiment file `target`.

    Raises ExperimentError, MissingInput.
    """
    parameters = entry.settings()
    if missing := [k for k, p in parameters.items() if p.default is Parameter.empty and k not in settings]:
        raise ExperimentError(f"--backbone {entry.name} cannot be written without its settings {', '.join(missing)}")
    if "weights" not in parameters:
        if weights is not None:
            raise ExperimentError(f"--weights: the backbone '{entry.name}' has no setting 'weights'")
        return Model(entry.name, settings)
    default = parameters["weights"].default
    if weights is None:
        return Model(entry.name, {**settings, "weights": default})
    return Model(entry.name, {**settings, "weights": _weights(entry.name, default, weights, target)})


def _weights(backbone: str, default: Any, weights: str, target: Path) -> str:
    """Validate the setting `weights`; raises ExperimentError, or MissingInput for a missing file."""
    if is_file(weights):
        path = Path(weights).expanduser()
        if not path.is_file():
            siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            near = did_you_mean(path.name, siblings)
            raise MissingInput(f"--weights: no file {weights}{near if 'did you mean' in near else ''}")
        return relative_path(path, target)
    names = [*([default] if isinstance(default, str) and default != "none" else []), "none"]
    if weights not in names:
        near = did_you_mean(weights, names)
        expected = one_of([*names, f"a file ({', '.join(SUFFIXES)})"])
        hint = near if "did you mean" in near else ""
        raise ExperimentError(f"--weights of '{backbone}' must be {expected}; got '{weights}'{hint}")
    return weights
