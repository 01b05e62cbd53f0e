"""`ftaug list`: what an experiment file can name."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import textwrap
from collections.abc import Iterable
from typing import Any

from ftaug.config.dump import to_plain
from ftaug.config.registry import REGISTRIES, Entry, Registry
from ftaug.config.schema import REQUIRED, Shape, entry_shape
from ftaug.config.words import wording
from ftaug.errors import ExperimentError, did_you_mean
from ftaug.load import MODALITIES, import_components


def run(kind: str | None, name: str | None, as_json: bool) -> None:
    """Print the kinds, the components of a kind, or one component with its settings."""
    for modality in MODALITIES:
        import_components(modality)
    kinds = {registry.kind: registry for registry in REGISTRIES.values()}
    if kind is None:
        result: Any = {known: names(kinds[known]) for known in sorted(kinds)}
        lines = table((known, f"{len(found):4}", _some(found)) for known, found in result.items())
    elif kind not in kinds:
        raise ExperimentError(f"no kind '{kind}'{did_you_mean(kind, kinds)}")
    elif name is None:
        result = {known: kinds[kind][known].summary for known in names(kinds[kind])}
        lines = table(result.items())
    else:
        try:
            entry = kinds[kind][name]
        except KeyError as error:
            raise ExperimentError(str(error.args[0])) from None
        shape = entry_shape(entry)
        result = {"kind": kind, "name": name, "summary": entry.summary, "settings": settings(shape)}
        lines = component(entry, shape)
    print(json.dumps(result, indent=2) if as_json else "\n".join(lines))


def names(registry: Registry) -> list[str]:
    """The names of a kind, those known by their prefix alone as `timm/NAME`."""
    return [*registry, *(f"{prefix}NAME" for prefix in registry.prefixes)]


def settings(shape: Shape) -> dict[str, dict[str, Any]]:
    """What each setting must be, its default and its explanation."""
    found: dict[str, dict[str, Any]] = {}
    for key, annotation in shape.annotations.items():
        default = shape.defaults[key]
        known = {"required": True} if default is REQUIRED else {"default": to_plain(default)}
        found[key] = {"must_be": wording(annotation), **known, "explanation": shape.explanations.get(key, "")}
    return found


def component(entry: Entry, shape: Shape) -> list[str]:
    """One component as a page: its first line, its settings, the rest of its docstring."""
    rows = [
        (key, "required" if "required" in said else flow(said["default"]), f"{said['explanation']} ({said['must_be']})")
        for key, said in settings(shape).items()
    ]
    rest = re.sub(r"^Settings:\n(?:[ \t]+\S.*\n?)*", "", _body(entry), flags=re.MULTILINE).strip()
    parts = [[entry.summary], table(rows, indent="  ") if rows else ["  nothing to set"], *([[rest]] if rest else [])]
    return [line for number, part in enumerate(parts) for line in ([""] if number else []) + part]


def _body(entry: Entry) -> str:
    return (inspect.getdoc(entry.function) or "").partition("\n")[2]


def flow(value: Any) -> str:
    """A default as YAML spells it in one line."""
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) or not value else value


def _some(found: list[str]) -> str:
    return ", ".join(found[:6]) + (", …" if len(found) > 6 else "")


def table(rows: Iterable[tuple[str, ...]], indent: str = "") -> list[str]:
    """Columns side by side, the last one wrapped to the width of the terminal."""
    cells = list(rows)
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]) - 1)]
    lines: list[str] = []
    for row in cells:
        start = indent + "".join(f"{cell:<{width}}  " for cell, width in zip(row, widths, strict=False))
        room = max(shutil.get_terminal_size((100, 24)).columns - len(start), 30)
        first, *more = textwrap.wrap(row[-1], room) or [""]
        lines += [(start + first).rstrip(), *(" " * len(start) + line for line in more)]
    return lines
