"""`ftaug list`: what an experiment file can name."""

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
from ftaug.config.schema import REQUIRED, Shape, dataclass_shape, entry_shape
from ftaug.config.sections import TOP, kinds_of, sections
from ftaug.config.strict_json import dumps
from ftaug.config.wording import wording
from ftaug.errors import ExperimentError, did_you_mean
from ftaug.load import MODALITIES, import_components


def run(kind: str | None, name: str | None, as_json: bool) -> None:
    """Print the kinds, the components of a kind, one component with its settings, or keys of the experiment file."""
    for modality in MODALITIES:
        import_components(modality)
    kinds = {known: _of_kind(known) for known in sorted({registry.kind for registry in REGISTRIES.values()})}
    if kind is None:
        result: Any = {known: names(registries) for known, registries in kinds.items()}
        lines = table((known, f"{len(found):4}", _some(found)) for known, found in result.items())
        lines += table([("the file's keys", ", ".join(path for path in sections() if "." not in path))])
    elif kind not in kinds:
        result, lines = _section(kind, name) or _anywhere(kind, name, kinds)
    elif name is None:
        found = {known: _entries(kinds[kind], known) for known in names(kinds[kind])}
        result = {known: next(iter(entries.values())).summary for known, entries in found.items()}
        whose = {known: [", ".join(entries)] if len(kinds[kind]) > 1 else [] for known, entries in found.items()}
        lines = table((known, *whose[known], result[known]) for known in found)
    else:
        result, lines = _one(kind, name, kinds[kind])
    print(dumps(result, indent=2) if as_json else "\n".join(lines))


def _of_kind(kind: str) -> dict[str, Registry]:
    """The registries of a kind by their modality, each with what it has of its own."""
    return {of: registry for (known, of), registry in sorted(REGISTRIES.items()) if known == kind}


def names(registries: Mapping[str, Registry]) -> list[str]:
    """The names of a kind, those known by their prefix alone as `timm/NAME`."""
    own = {name for registry in registries.values() for name in registry.own}
    return [*sorted(own), *(f"{prefix}NAME" for registry in registries.values() for prefix in registry.prefixes)]


def _entries(registries: Mapping[str, Registry], name: str) -> dict[str, Entry]:
    """What a name stands for, by modality."""
    return {
        of: registry[name]
        for of, registry in registries.items()
        if name in registry.own or _is_prefixed(registry, name)
    }


def _is_prefixed(registry: Registry, name: str) -> bool:
    return any(name.startswith(prefix) and name != prefix for prefix in registry.prefixes)


def _one(kind: str, name: str, registries: Mapping[str, Registry]) -> tuple[Any, list[str]]:
    """A component as JSON values and as lines: a page for each modality that has its own by that name."""
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
    """A component by its name alone, of whichever kind it is: a page for each."""
    matching = [kind for kind, registries in kinds.items() if _entries(registries, spelled(kind, name))]
    if extra is not None or not matching:
        hints = (hint(kind, name, names(registries)) for kind, registries in kinds.items())
        near = next(filter(None, hints), "") if extra is None else ""
        known = [*kinds, *sections(), *(one for registries in kinds.values() for one in names(registries))]
        raise ExperimentError(f"no kind, component or key '{name}'{near or did_you_mean(name, known, 'ftaug list')}")
    pages = {kind: _one(kind, name, kinds[kind]) for kind in matching}
    lines = [line for kind, (_, page) in pages.items() for line in (f"{kind} {spelled(kind, name)}:", "", *page, "")]
    results = {kind: result for kind, (result, _) in pages.items()}
    return next(iter(results.values())) if len(results) == 1 else results, lines[:-1]


def _section(path: str, key: str | None) -> tuple[Any, list[str]] | None:
    """The keys of a section of the experiment file, or one key wherever it is; None where there is none."""
    whole = f"{path}.{key}" if key else path
    if whole in sections():
        shapes = [dataclass_shape(cls) for cls in sections()[whole]]
        pages = [component(inspect.getdoc(cls) or "", dataclass_shape(cls)) for cls in sections()[whole]]
        if (itself := _key(whole)) and not isinstance(itself[0][whole].get("default"), dict):
            pages.insert(0, itself[1])  # a key that need not be a section, such as unfreeze
        keys = {name: said for shape in shapes for name, said in settings(shape).items()}
        return {"section": whole, "keys": keys}, [line for page in pages for line in (*page, "")][:-1]
    return _key(whole)


def _key(path: str) -> tuple[Any, list[str]] | None:
    """A key by its dotted path, or by its name alone wherever it is; None where there is none."""
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
    """What each setting must be, its default and its explanation."""
    found: dict[str, dict[str, Any]] = {}
    for key, annotation in shape.annotations.items():
        default = shape.defaults[key]
        known = {"required": True} if default is REQUIRED else {"default": to_plain(default)}
        found[key] = {"must_be": wording(annotation), **known, "explanation": shape.explanations.get(key, "")}
    return found


def component(docstring: str, shape: Shape) -> list[str]:
    """One component or section as a page: its first line, its settings, the rest of its docstring."""
    rows = [(key, *_row(said)) for key, said in settings(shape).items()]
    summary, _, body = docstring.partition("\n")
    rest = re.sub(r"^Settings:\n(?:[ \t]+\S.*\n?)*", "", body, flags=re.MULTILINE).strip()
    parts = [[summary], table(rows, indent="  ") if rows else ["  nothing to set"], *([[rest]] if rest else [])]
    return [line for number, part in enumerate(parts) for line in ([""] if number else []) + part]


def _row(said: Mapping[str, Any]) -> tuple[str, str]:
    """The default of a setting, and what it is."""
    default = said.get("default")
    shown = "required" if "required" in said else "…" if isinstance(default, dict) and default else flow(default)
    return shown, f"{said['explanation']} ({said['must_be']})"


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
