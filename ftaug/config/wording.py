"""Format types, values and paths for error messages and lists."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from ftaug.config.annotations import Kind, is_mapping, is_section, is_union
from ftaug.config.types import Wording
from ftaug.config.yaml_document import Where, scalar
from ftaug.errors import did_you_mean, one_of

_PLAIN = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    Path: "a path, relative to the experiment file",
    types.NoneType: "null",
    None: "null",
}


def wording(annotation: Any) -> str:
    """Describe a type, for `must be …`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        for mark in arguments[1:]:
            if isinstance(mark, Wording):
                return mark.text
            if isinstance(mark, Kind):
                return f"{article(mark.kind)} {mark.kind}"
        return wording(arguments[0]) + _range(arguments[1:])
    if origin is Literal:
        names = [shown(a) for a in arguments]
        return names[0] if len(names) == 1 else f"one of {one_of(names)}"
    if is_union(annotation):
        return ", or ".join(wording(a).removeprefix("one of ") for a in arguments)
    if origin in (tuple, list):
        if len(arguments) > 1 and arguments[-1] is not Ellipsis:
            each = list(dict.fromkeys(wording(a) for a in arguments))
            return f"a list of {len(arguments)}{', each' if len(each) == 1 else ':'} {', '.join(each)}"
        return f"a list, each {wording(arguments[0])}"
    if is_mapping(origin):
        return f"a mapping, each value {wording(arguments[1])}"
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if text := getattr(annotation, "wording", None):
        return str(text)
    if is_section(annotation):
        keys = [f.name.rstrip("_") for f in dataclasses.fields(annotation)]
        return f"a mapping with {'the key' if len(keys) == 1 else 'the keys'} {', '.join(keys)}"
    return str(getattr(annotation, "__name__", annotation))


def _range(marks: tuple[Any, ...]) -> str:
    """Describe the bounds of a number from pydantic's Field or annotated_types."""
    bounds = [bound for mark in marks for bound in (mark, *getattr(mark, "metadata", ()))]
    signs = (("gt", "above {}"), ("ge", "of {} or more"), ("lt", "below {}"), ("le", "of {} or less"))
    limits = [(text, getattr(bound, name, None)) for bound in bounds for name, text in signs]
    phrases = [text.format(limit) for text, limit in limits if limit is not None]
    return f" {' and '.join(phrases)}" if phrases else ""


def shown(value: Any) -> str:
    """Format a value as the user wrote it, shortened."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return f"a mapping with the keys {', '.join(map(str, value))}"[:80] if value else "an empty mapping"
    if isinstance(value, list | tuple):
        text = f"[{', '.join(map(shown, value))}]"
        return "an empty list" if not value else text if len(text) <= 40 else f"a list of {len(value)}"
    if isinstance(value, str):
        text = value if len(value) <= 40 else f"{value[:37]}…"
        return text if value and _is_text(value) and value == value.strip() else f"'{text}'"
    return str(value)[:40]


def listed(names: Sequence[str], most: int) -> str:
    """Join the first `most` names with commas, and say how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def as_list(value: Any) -> str:
    """Suggest how to write a single value as a list."""
    if isinstance(value, Mapping):
        return "; put a dash before each item"
    return "" if value is None else f"; write [{shown(value)}]"


KEYS_SHOWN = 12
"""Maximum number of keys that a message lists."""


def valid_keys(key: str, known: Collection[str], listed_as: str) -> str:
    """Suggest the nearest valid key, or list the valid keys."""
    if not known:
        return "; it has no settings"
    near = did_you_mean(key, known)
    if near.startswith("; did you mean"):
        return near
    more = f", … (ftaug list {listed_as})" if len(known) > KEYS_SHOWN else ""
    return f"; valid keys: {', '.join([*known][:KEYS_SHOWN])}{more}"


def _is_text(value: str) -> bool:
    try:
        return isinstance(scalar(value), str)
    except ValueError:
        return False


def dotted(where: Where) -> str:
    """Format a path as in an override."""
    return ".".join(f'"{step}"' if isinstance(step, str) and "." in step else str(step) for step in where)


def article(noun: str) -> str:
    """`a` or `an`."""
    return "an" if noun[0] in "aeiou" else "a"
