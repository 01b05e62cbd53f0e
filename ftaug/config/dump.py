"""Serialize an experiment to complete YAML, and compute a digest of everything that affects its result."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from ftaug.config import yaml_document
from ftaug.config.experiment import Experiment
from ftaug.config.plugins import is_file
from ftaug.config.registry import Component
from ftaug.config.types import Duration, TimeLimit

WITHOUT_INFLUENCE = (
    ("name",),
    ("data", "workers"),
    ("data", "cache"),
    ("data", "augment_device"),
    ("train", "cache_features", "place"),
    ("train", "max_time"),
    ("train", "save_every"),
    ("train", "shard"),
    ("evaluate", "batch_size"),
    ("loggers",),
    ("search",),
)
MODEL_FILES = (".json", ".safetensors", ".txt")
"""Endings of the files in a folder that a text encoder is built from."""


def to_plain(value: Any, path: Callable[[Path], Any] = str) -> Any:
    """Convert a value to plain YAML/JSON types; `path` converts paths."""
    if isinstance(value, Component):
        return {value.name: to_plain(value.settings, path)} if value.settings else value.name
    if isinstance(value, TimeLimit):
        return value.seconds / 60
    if isinstance(value, Path):
        return path(value)
    if isinstance(value, Duration):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name.rstrip("_"): to_plain(getattr(value, f.name), path) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: to_plain(item, path) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item, path) for item in value]
    return value


def to_yaml(experiment: Experiment) -> str:
    """Serialize the complete experiment to YAML; parsing it gives an equal one."""
    plain = to_plain(experiment)
    ordered = {key: plain[key] for key in ("name", "seed", "plugins", "modality", *plain)}
    return yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)


def digest(experiment: Experiment) -> str:
    """Compute a digest (eight hex digits) of everything that affects the result, independent of paths.

    Files count by their content. Those of the datasets do not: data are compared sample by sample.
    """
    stands_for: dict[str, Callable[[Path], Any]] = {"data": lambda path: None, "distillation": _weights}
    plain = {
        field.name: to_plain(getattr(experiment, field.name), stands_for.get(field.name, _content))
        for field in dataclasses.fields(experiment)
    }
    for *sections, key in WITHOUT_INFLUENCE:
        inner = plain
        for section in sections:
            inner = inner[section]
        if isinstance(inner, dict):  # not where a word or nothing stands in a section's place
            del inner[key]
    for key in ("split_seed", "confirmation"):
        if plain["data"][key] is None:  # as in runs that do not have this setting
            del plain["data"][key]
    if plain["data"]["parts"] == "auto":  # the same result but for rounding, as in runs that do not have this setting
        del plain["data"]["parts"]
    if plain["data"]["order"] == "random":  # as in runs that do not have this setting
        del plain["data"]["order"]
    if plain["train"]["on_nonfinite"] == "stop":  # as in runs that do not have this setting
        del plain["train"]["on_nonfinite"]
    if not plain["train"]["sync_batchnorm"]:  # as in runs that do not have this setting
        del plain["train"]["sync_batchnorm"]
    if plain["data"]["pseudo_labels"] is None:  # as in runs that do not have this setting
        del plain["data"]["pseudo_labels"]
    for dataset in plain["data"].values():  # as in runs of tables that do not have this setting
        for settings in dataset.values() if isinstance(dataset, dict) else ():
            if isinstance(settings, dict) and settings.get("soft") is False:
                del settings["soft"]
    plain["plugins"] = [_content(Path(plugin)) if is_file(plugin) else plugin for plugin in experiment.plugins]
    plain["backbone"] = _with_contents(plain["backbone"])
    text = json.dumps(plain, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def folder_digest(experiment: Experiment, folder: Path) -> str:
    """Compute the digest in a run folder's name, which includes data paths. `folder` is the experiment file's.

    Data below it count by their way from there, so that a project may be moved or copied.
    """
    below = folder.resolve()
    paths = (path.resolve() for path in data_paths(experiment))
    places = [str(path.relative_to(below) if path.is_relative_to(below) else path) for path in paths]
    text = "\0".join([digest(experiment), *places])
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:8]


def data_paths(experiment: Experiment) -> list[Path]:
    """Return the paths of the datasets."""
    data = experiment.data
    datasets = (data.train, data.val, data.test, data.pseudo_labels)
    settings = (dataset.settings for dataset in datasets if isinstance(dataset, Component))
    return [value for each in settings for value in each.values() if isinstance(value, Path)]


def missing_files(experiment: Experiment) -> bool:
    """Whether a file or folder that the network is built from is missing."""
    return not all(map(os.path.exists, _absolute_paths(to_plain(experiment.backbone))))


def _absolute_paths(plain: Any) -> Iterator[str]:
    if isinstance(plain, dict):
        for value in plain.values():
            yield from _absolute_paths(value)
    elif isinstance(plain, str) and Path(plain).is_absolute():
        yield plain


def with_kept_plugins(experiment: Experiment) -> tuple[Experiment, dict[str, bytes]]:
    """Return the experiment for a run folder, with plugin files renamed by their hash, and their contents."""
    files: dict[str, bytes] = {}
    names = []
    for plugin in experiment.plugins:
        name = plugin
        if is_file(plugin):
            content = Path(plugin).read_bytes()
            mark = f"-{hashlib.sha256(content).hexdigest()[:8]}"
            name = f"plugins/{Path(plugin).stem.removesuffix(mark)}{mark}.py"
            files[name] = content
        names.append(name)
    return dataclasses.replace(experiment, plugins=tuple(names)), files


def _content(path: Path) -> str:
    """Hash a file or the contents of a model folder; list other folders, by size. A missing one gives its path."""
    if path.is_file():
        status = path.stat()
        return _sha256(path, status.st_size, status.st_mtime_ns)
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        of_model = [f"{file.relative_to(path)} {_content(file)}" for file in files if file.suffix in MODEL_FILES]
        return "\n".join(of_model or [f"{file.relative_to(path)} {file.stat().st_size}" for file in files])
    return str(path)


@lru_cache
def _sha256(path: Path, size: int, modified: int) -> str:
    """Hash a file, cached by size and modification time."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _with_contents(plain: Any) -> Any:
    """Return the settings of a backbone with content hashes in place of absolute paths."""
    if isinstance(plain, dict):
        return {key: _with_contents(value) for key, value in plain.items()}
    return _content(Path(plain)) if isinstance(plain, str) and Path(plain).is_absolute() else plain


def _weights(run: Path) -> str:
    """Hash a run's best weights, so that the digest depends on the teacher and not on its path."""
    try:
        files = json.loads((run / "best" / "manifest.json").read_bytes())["files"]
    except (OSError, ValueError, KeyError):
        return str(run)
    return str(files.get("ema.safetensors", files.get("model.safetensors")))


class _Dumper(yaml.SafeDumper):
    """YAML dumper that quotes strings which YAML 1.2 would not read as strings, and writes flat lists in one line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    try:
        plain = isinstance(yaml_document.scalar(value), str)
    except ValueError:
        plain = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')


def _list(dumper: _Dumper, value: list[Any]) -> yaml.SequenceNode:
    flow = not any(isinstance(item, list | dict) for item in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=flow)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)
