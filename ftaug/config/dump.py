"""An experiment → YAML that says everything, and a digest of what can change its result."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from ftaug.config import document
from ftaug.config.experiment import Experiment
from ftaug.config.plugins import is_file
from ftaug.config.registry import Component, nested
from ftaug.config.types import Duration, TimeLimit

WITHOUT_INFLUENCE = (
    ("name",),
    ("data", "workers"),
    ("data", "cache"),
    ("data", "augment_on"),
    ("train", "cache_features", "place"),
    ("train", "max_time"),
    ("train", "tensorboard"),
    ("train", "save_every"),
    ("evaluate", "batch_size"),
)


def to_plain(value: Any) -> Any:
    """The value as YAML and JSON hold it."""
    if isinstance(value, Component):
        return {value.name: to_plain(value.settings)} if value.settings else value.name
    if isinstance(value, TimeLimit):
        return value.seconds / 60
    if isinstance(value, Duration | Path):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name.rstrip("_"): to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value


def to_yaml(experiment: Experiment) -> str:
    """Write the complete experiment; reading it gives an equal one."""
    plain = to_plain(experiment)
    ordered = {key: plain[key] for key in ("name", "seed", "plugins", "modality", *plain)}
    return yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)


def digest(experiment: Experiment) -> str:
    """Eight hex digits over all that can change the result."""
    plain = to_plain(experiment)
    for *sections, key in WITHOUT_INFLUENCE:
        inner = plain
        for section in sections:
            inner = inner[section]
        if isinstance(inner, dict):  # not where a word or nothing stands in a section's place
            del inner[key]
    plain["plugins"] = [_content(plugin) for plugin in experiment.plugins]
    if experiment.distil is not None:
        plain["distil"]["teacher"] = _weights(experiment.distil.teacher)
    if tables := [*_tables(experiment)]:
        plain["tables"] = tables
    text = json.dumps(plain, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def data_paths(experiment: Experiment) -> list[Path]:
    """Where the datasets lie."""
    datasets = (experiment.data.train, experiment.data.val, experiment.data.test)
    settings = (dataset.settings for dataset in datasets if isinstance(dataset, Component))
    return [value for each in settings for value in each.values() if isinstance(value, Path)]


def with_kept_plugins(experiment: Experiment) -> tuple[Experiment, dict[str, bytes]]:
    """The experiment as a run folder keeps it: its plugins' files under names with their hash, and what they hold."""
    kept: dict[str, bytes] = {}
    names = []
    for plugin in experiment.plugins:
        name = plugin
        if is_file(plugin):
            content = Path(plugin).read_bytes()
            name = f"plugins/{Path(plugin).stem}-{hashlib.sha256(content).hexdigest()[:8]}.py"
            kept[name] = content
        names.append(name)
    return dataclasses.replace(experiment, plugins=tuple(names)), kept


def _content(plugin: str) -> str:
    """What a plugin's file says, so that an edited plugin is another experiment; a module goes by its name."""
    path = Path(plugin)
    return hashlib.sha256(path.read_bytes()).hexdigest() if is_file(plugin) and path.is_file() else plugin


def _weights(run: Path) -> str:
    """The hash of a run's best weights, so that another teacher is another experiment, wherever it lies."""
    try:
        files = json.loads((run / "best" / "manifest.json").read_bytes())["files"]
    except (OSError, ValueError, KeyError):
        return str(run)
    return str(files.get("ema.safetensors", files.get("model.safetensors")))


def _tables(experiment: Experiment) -> Iterator[str]:
    """What the files say that augmentations read, so that an edited table is another experiment."""
    for _, op in nested(experiment.augment):
        for value in op.settings.values():
            if isinstance(value, Path) and value.is_file():
                yield hashlib.sha256(value.read_bytes()).hexdigest()


class _Dumper(yaml.SafeDumper):
    """Quotes every text that YAML 1.2 would read as something else, and writes lists of scalars in one line."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    try:
        plain = isinstance(document.scalar(value), str)
    except ValueError:
        plain = False
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')


def _list(dumper: _Dumper, value: list[Any]) -> yaml.SequenceNode:
    flow = not any(isinstance(item, list | dict) for item in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=flow)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)
