"""Compare the settings of an experiment with those of the run in a folder, which only the same experiment continues."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ftaug.config.dump import WITHOUT_INFLUENCE
from ftaug.config.renamed import with_current_names
from ftaug.config.yaml_document import parse, read
from ftaug.errors import FtaugError, Problem

LISTED = 20


def differences(path: Path, resolved_yaml: str) -> list[Problem | str]:
    """Build the error lines for a folder with another experiment: the settings that differ, one per line."""
    head = f"{path} holds another experiment: use --fresh or another --run-dir"
    try:
        rows = _changes(path, resolved_yaml)
    except FtaugError as error:
        return [f"{head} ({error})"]
    if not rows:
        reason = "the settings are the same, but not the plugins or files they name, or ftaug's version"
        return [f"{head} ({reason}); `ftaug train {path}` continues it as it began"]
    more = [f"and {len(rows) - LISTED} more"] if len(rows) > LISTED else []
    return [head, *rows[:LISTED], *more]


def same_settings(path: Path, resolved_yaml: str) -> bool:
    """Return whether a folder holds a run with the same settings, ignoring the content of files that they name."""
    try:
        return (path / "resolved.yaml").is_file() and not _changes(path, resolved_yaml)
    except FtaugError:
        return False


def _changes(path: Path, resolved_yaml: str) -> list[str]:
    """List the settings that differ between the experiment in a folder and this one, with both values."""
    current = flat(parse(resolved_yaml, "this experiment").tree)
    return [f"{key}: {before} → {after}" for key, (before, after) in changes(stored_settings(path), current).items()]


def stored_settings(run: Path) -> dict[str, str]:
    """Read all settings of a run folder as dotted keys with JSON values; raises MissingInput, ExperimentError."""
    file = run / "resolved.yaml"
    return flat(with_current_names(parse(read(file), str(file))).tree)


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the settings that differ and can change the result, each with both values; `not set` where it has none."""
    keys = [key for key in {**before, **after} if not _may_change(key, before, after)]
    pairs = {key: (before.get(key, "not set"), after.get(key, "not set")) for key in keys}
    return {key: (first, second) for key, (first, second) in pairs.items() if first != second}


def _may_change(key: str, *settings: Mapping[str, str]) -> bool:
    """Return whether a run may resume with another value of a setting, such as another path of its data."""
    names = tuple(key.split("."))
    is_path = names[0] == "data" and all(each.get(key, "").startswith('"/') for each in settings)
    return any(names[: len(path)] == path for path in WITHOUT_INFLUENCE) or is_path


def flat(tree: Any, prefix: str = "") -> dict[str, str]:
    """Flatten a tree to dotted keys: `{train: {epochs: 3}}` to `{"train.epochs": "3"}`."""
    if isinstance(tree, Mapping) and (tree or not prefix):
        items = [(str(key), value) for key, value in tree.items()]
    elif isinstance(tree, list) and tree:
        items = [(str(index), value) for index, value in enumerate(tree)]
    else:
        return {prefix: json.dumps(tree, ensure_ascii=False, default=str)}
    return {
        key: text for name, value in items for key, text in flat(value, f"{prefix}.{name}" if prefix else name).items()
    }
