"""Describe components and settings of the experiment file, as JSON values and as text."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from ftaug.config.dump import to_plain
from ftaug.config.other_names import hint, spelled
from ftaug.config.registry import REGISTRIES, Entry, Registry
from ftaug.config.renamed import KEYS
from ftaug.config.schema import entry_shape
from ftaug.config.sections import TOP, kinds_of, sections
from ftaug.config.shapes import REQUIRED, Shape, dataclass_shape
from ftaug.config.wording import wording
from ftaug.errors import ExperimentError, did_you_mean

NARROWEST = 30
"""Least width of a column of explanations beside the names."""


def describe(kind: str | None, name: str | None) -> tuple[Any, list[str]]:
    """Describe the kinds, the components of a kind, a component with its settings, or keys of the experiment file.

    Returns JSON values and lines of text.
    """
    kinds = {known: _of_kind(known) for known in sorted({registry.kind for registry in REGISTRIES.values()})}
    if kind is None:
        result: Any = {known: names(registries) for known, registries in kinds.items()}
        lines = table((known, f"{len(listed):4}", _some(listed)) for known, listed in result.items())
        lines += table([("the file's keys", ", ".join(path for path in sections() if "." not in path))])
    elif kind not in kinds:
        result, lines = _section(kind, name) or _anywhere(kind, name, kinds)
    elif name is None:
        entries_by_name = {known: _entries(kinds[kind], known) for known in names(kinds[kind])}
        result = {known: next(iter(entries.values())).summary for known, entries in entries_by_name.items()}
        whose = {
            known: [", ".join(entries)] if len(kinds[kind]) > 1 else [] for known, entries in entries_by_name.items()
        }
        lines = table((known, *whose[known], result[known]) for known in entries_by_name)
    else:
        result, lines = _describe(kind, name, kinds[kind])
    return result, lines


def _of_kind(kind: str) -> dict[str, Registry]:
    """Return the registries of a kind by modality."""
    return {of: registry for (known, of), registry in sorted(REGISTRIES.items()) if known == kind}


def names(registries: Mapping[str, Registry]) -> list[str]:
    """List the names of a kind; families with a prefix appear as `timm/NAME`."""
    registered = {name for registry in registries.values() for name in registry.own}
    return [*sorted(registered), *(f"{prefix}NAME" for registry in registries.values() for prefix in registry.prefixes)]


def _entries(registries: Mapping[str, Registry], name: str) -> dict[str, Entry]:
    """Return the entries of a name, by modality."""
    return {
        of: registry[name]
        for of, registry in registries.items()
        if name in registry.own or _is_prefixed(registry, name)
    }


def _is_prefixed(registry: Registry, name: str) -> bool:
    return any(name.startswith(prefix) and name != prefix for prefix in registry.prefixes)


def _describe(kind: str, name: str, registries: Mapping[str, Registry]) -> tuple[Any, list[str]]:
    """Describe a component as JSON values and as text: a page for each modality that registers the name."""
    entries = _entries(registries, name) or _entries(registries, spelled(kind, name))
    if not entries:
        known = names(registries)
        near = hint(kind, name, known) or did_you_mean(name, known, f"ftaug list {kind}")
        raise ExperimentError(f"no {kind} '{name}'{near}")
    results: dict[str, Any] = {}
    lines: list[str] = []
    for of, entry in entries.items():
        shape = entry_shape(entry)
        results[of] = {
            "kind": kind,
            "name": entry.name,
            "modality": of,
            "summary": entry.summary,
            "settings": settings(shape),
        }
        heading = [f"modality {of}:"] if len(entries) > 1 else []
        lines += [*([""] if lines else []), *heading, *component(inspect.getdoc(entry.function) or "", shape)]
    return next(iter(results.values())) if len(results) == 1 else results, lines


def _anywhere(name: str, extra: str | None, kinds: Mapping[str, dict[str, Registry]]) -> tuple[Any, list[str]]:
    """Describe a component by its name alone: a page for each kind that has it."""
    matching = [kind for kind, registries in kinds.items() if _entries(registries, spelled(kind, name))]
    if extra is not None or not matching:
        wanted = name if extra is None else f"{name}.{extra}"
        hints = (hint(kind, wanted, names(registries)) for kind, registries in kinds.items())
        near = f"; it was renamed to '{KEYS[wanted]}'" if wanted in KEYS else next(filter(None, hints), "")
        known = [*kinds, *_paths(), *(known for registries in kinds.values() for known in names(registries))]
        raise ExperimentError(
            f"no kind, component or key '{wanted}'{near or did_you_mean(wanted, known, 'ftaug list')}"
        )
    pages = {kind: _describe(kind, name, kinds[kind]) for kind in matching}
    lines = [line for kind, (_, page) in pages.items() for line in (f"{kind} {spelled(kind, name)}:", "", *page, "")]
    results = {kind: result for kind, (result, _) in pages.items()}
    return next(iter(results.values())) if len(results) == 1 else results, lines[:-1]


def _paths() -> list[str]:
    """Return the dotted paths of all sections and keys of the experiment file."""
    keys = [
        key if path == TOP else f"{path}.{key}"
        for path, classes in sections().items()
        for cls in classes
        for key in dataclass_shape(cls).annotations
    ]
    return [*sections(), *keys]


def _section(path: str, key: str | None) -> tuple[Any, list[str]] | None:
    """Describe a section of the experiment file, or a key in any section; None if there is none."""
    whole = f"{path}.{key}" if key else path
    if whole in sections():
        shapes = [dataclass_shape(cls) for cls in sections()[whole]]
        pages = [component(inspect.getdoc(cls) or "", dataclass_shape(cls)) for cls in sections()[whole]]
        if (itself := _key(whole)) and not isinstance(itself[0][whole].get("default"), dict):
            pages.insert(0, itself[1])  # a key that need not be a section, such as unfreeze
        keys = {name: setting for shape in shapes for name, setting in settings(shape).items()}
        return {"section": whole, "keys": keys}, [line for page in pages for line in (*page, "")][:-1]
    return _key(whole)


def _key(path: str) -> tuple[Any, list[str]] | None:
    """Describe a key by its dotted path, or by its name in any section; None if there is none."""
    section, _, last = path.rpartition(".")
    shapes = [
        (prefix, dataclass_shape(cls))
        for prefix, classes in sections().items()
        for cls in classes
        if section in ("", prefix) and last in dataclass_shape(cls).annotations
    ]
    result: dict[str, Any] = {}
    lines: list[str] = []
    for prefix, shape in shapes:
        where = last if prefix == TOP else f"{prefix}.{last}"
        result[where] = settings(shape)[last]
        lines += table([(where, *_row(result[where]))])
        lines += [f"  see ftaug list {kind}" for kind in kinds_of(shape.annotations[last])]
    return (result, lines) if shapes else None


def settings(shape: Shape) -> dict[str, dict[str, Any]]:
    """Describe each setting: type, default and explanation."""
    result: dict[str, dict[str, Any]] = {}
    for key, annotation in shape.annotations.items():
        default = shape.defaults[key]
        known = {"required": True} if default is REQUIRED else {"default": to_plain(default)}
        result[key] = {"must_be": wording(annotation), **known, "explanation": shape.explanations.get(key, "")}
    return result


def component(docstring: str, shape: Shape) -> list[str]:
    """Format a component or section as a page: summary, settings, and the rest of its docstring."""
    rows = [(key, *_row(setting)) for key, setting in settings(shape).items()]
    summary, _, body = docstring.partition("\n")
    rest = re.sub(r"^Settings:\n(?:[ \t]+\S.*\n?)*", "", body, flags=re.MULTILINE).strip()
    settings_lines = table(rows, indent="  ") if rows else ["  nothing to set"]
    parts = [paragraphs(summary), settings_lines, *([paragraphs(rest)] if rest else [])]
    return [line for number, part in enumerate(parts) for line in ([""] if number else []) + part]


def _row(setting: Mapping[str, Any]) -> tuple[str, str]:
    """Format the default and the explanation of a setting."""
    default = setting.get("default")
    shown = "required" if "required" in setting else "…" if isinstance(default, dict) and default else flow(default)
    return shown, f"{setting['explanation']} ({setting['must_be']})"


def flow(value: Any) -> str:
    """Format a default as one line of YAML."""
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) or not value else value


def _some(values: list[str]) -> str:
    return ", ".join(values[:6]) + (", …" if len(values) > 6 else "")


def table(rows: Iterable[tuple[str, ...]], indent: str = "") -> list[str]:
    """Align columns, wrapping the last one to the terminal: below itself, or on lines of its own if that is narrow."""
    cells = list(rows)
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]) - 1)]
    columns = shutil.get_terminal_size((100, 24)).columns
    lines: list[str] = []
    for row in cells:
        start = indent + "".join(f"{cell:<{width}}  " for cell, width in zip(row, widths, strict=False))
        if columns - len(start) >= NARROWEST:
            first, *more = _wrap(row[-1], columns - len(start)) or [""]
            lines += [(start + first).rstrip(), *(" " * len(start) + line for line in more)]
        else:
            lines += [start.rstrip(), *(f"{indent}    {line}" for line in _wrap(row[-1], columns - len(indent) - 4))]
    return lines


def paragraphs(text: str) -> list[str]:
    """Wrap the paragraphs of a docstring to the width of the terminal; indented lines and lists stay as they are."""
    columns = shutil.get_terminal_size((100, 24)).columns
    lines: list[str] = []
    for paragraph in text.split("\n\n"):
        is_plain = not any(line.startswith((" ", "-", "|")) for line in paragraph.split("\n"))
        wrapped = _wrap(paragraph, columns) if is_plain else paragraph.split("\n")
        lines += [*([""] if lines else []), *wrapped]
    return lines


def _wrap(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, 1), break_long_words=False, break_on_hyphens=False)
