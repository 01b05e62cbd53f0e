"""Write the experiment of the best trial as a file to train: the user's own, with values in place of its spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from ftaug.config.dump import to_yaml
from ftaug.config.experiment import Experiment
from ftaug.config.search_space import Space, written
from ftaug.config.yaml_document import Where
from ftaug.engine.system import storage
from ftaug.errors import FtaugError
from ftaug.experiment_file import load
from ftaug.runs.search.search_file import SearchFile


def write_best(search: SearchFile, values: Mapping[str, Any], path: Path) -> Path:
    """Write the experiment with the values of a trial; its comments stay, and relative paths become absolute.

    With overrides of the command line, or where the text cannot be edited, all settings are written, without comments.
    """
    expected = search.file.experiment([*search.overrides, *search.values_overrides(values)])
    with storage.storage_errors(f"{path}: cannot be written"):
        storage.replace(path, edited(search.file.text, search.spaces, values, search.file.path).encode())
        if not _is_equal(path, expected):
            storage.replace(path, to_yaml(expected).encode())
    return path


def edited(text: str, spaces: Sequence[Space], values: Mapping[str, Any], source: Path) -> str:
    """Return the text of an experiment file with values in place of its spaces."""
    chosen = {space.where: values[space.key] for space in spaces}
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    folder = source.absolute().parent
    edits: list[tuple[int, int, str]] = []
    emptied: set[Where] = set()
    for where, node in _nodes(root, ()) if root is not None else ():
        if isinstance(node, yaml.SequenceNode) and _is_emptied(node, where, chosen):
            emptied.add(where)
            edits.append((node.start_mark.index, _end(node), "[]" if node.flow_style else " []"))
        elif where in chosen and where[:-1] not in emptied:
            start, end = node.start_mark.index, _end(node)
            if chosen[where] is None and isinstance(where[-1], int):
                edits.append((*_item(text, start, end), ""))
            else:
                edits.append((start, end, written(chosen[where])))
        elif isinstance(node, yaml.ScalarNode) and where[0] != "search" and (absolute := _absolute(node.value, folder)):
            edits.append((node.start_mark.index, node.end_mark.index, written(absolute)))
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def _is_equal(path: Path, expected: Experiment) -> bool:
    """Whether a file is the expected experiment, but for its name."""
    try:
        experiment = load(path)
    except FtaugError:
        return False
    return replace(experiment, name=expected.name) == expected


def _nodes(node: yaml.Node, where: Where) -> Iterator[tuple[Where, yaml.Node]]:
    """Yield the values of a file with their paths; not what is within a space."""
    yield where, node
    if isinstance(node, yaml.MappingNode):
        if where and [key.value for key, _ in node.value] == ["search"]:
            return
        for key, value in node.value:
            yield from _nodes(value, (*where, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _nodes(value, (*where, index))


def _end(node: yaml.Node) -> int:
    """Return where a value ends; PyYAML's mark of a block is that of what follows it."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style:
        return int(node.end_mark.index)
    last: Any = node.value[-1]
    return _end(last[1] if isinstance(node, yaml.MappingNode) else last)


def _is_emptied(node: yaml.SequenceNode, where: Where, chosen: Mapping[Where, Any]) -> bool:
    """Whether all items of a list are removed."""
    return bool(node.value) and all(chosen.get((*where, index), "") is None for index in range(len(node.value)))


def _item(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the extent of a list item with its dash and line, or with the comma in a list in brackets."""
    dash = re.search(r"[ \t]*-[ \t\n]*\Z", text[:start])
    if dash is not None:
        line_end = text.find("\n", end)
        begins_line = dash.start() == 0 or text[dash.start() - 1] == "\n"
        return (dash.start(), len(text) if line_end < 0 else line_end + 1) if begins_line else (start, end)
    after = re.match(r"[ \t]*,[ \t]*", text[end:])
    if after is not None:
        return start, end + after.end()
    before = re.search(r"[ \t]*,[ \t]*\Z", text[:start])
    return (before.start(), end) if before is not None else (start, end)


def _absolute(value: str, folder: Path) -> str | None:
    """Return the absolute path of an existing file or folder that is named relative to another folder; else None."""
    if not value or Path(value).is_absolute() or not ("/" in value or "." in value or (folder / value).is_dir()):
        return None
    path = folder / Path(value).expanduser()
    return str(path.resolve()) if path.exists() else None
