"""The backbone and the weights that a command line asks for."""

from __future__ import annotations

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
    """The name of a requested backbone; raises ExperimentError for weights without it."""
    if requested.backbone is None and requested.weights is not None:
        raise ExperimentError("--weights needs --backbone, the network that they are for")
    return requested.backbone


def registered(backbones: Registry, name: str) -> Entry:
    """The backbone of that name; raises ExperimentError with the nearest one."""
    if name in backbones:
        return backbones[name]
    if name in backbones.prefixes:
        raise ExperimentError(f"--backbone {name} is the start of a name; expected {name}NAME")
    names = [*backbones, *(f"{prefix}NAME" for prefix in backbones.prefixes)]
    hint = did_you_mean(name, names, "ftaug list backbone")
    raise ExperimentError(f"--backbone: no {backbones.modality} backbone '{name}'{hint}")


def model(entry: Entry, weights: str | None, target: Path, **settings: Any) -> Model:
    """A requested backbone with its weights, requested or its own, as the experiment file `target` names them."""
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
    """The value of the setting `weights`; raises ExperimentError, or MissingInput for a file that is not there."""
    if is_file(weights):
        path = Path(weights).expanduser()
        if not path.is_file():
            beside = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            near = did_you_mean(path.name, beside)
            raise MissingInput(f"--weights: no file {weights}{near if 'did you mean' in near else ''}")
        return relative_path(path, target)
    names = [*([default] if isinstance(default, str) and default != "none" else []), "none"]
    if weights not in names:
        near = did_you_mean(weights, names)
        expected = one_of([*names, f"a file ({', '.join(SUFFIXES)})"])
        hint = near if "did you mean" in near else ""
        raise ExperimentError(f"--weights of '{backbone}' must be {expected}; got '{weights}'{hint}")
    return weights
