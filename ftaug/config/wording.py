"""How types, values and ways through the tree are called in errors and lists."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Collection, Mapping
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
    Path: "a path",
    types.NoneType: "null",
    None: "null",
}


def wording(annotation: Any) -> str:
    """What a value of the type must be, for `must be …`."""
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
    """The bounds that pydantic's Field or annotated_types put on a number."""
    bounds = [bound for mark in marks for bound in (mark, *getattr(mark, "metadata", ()))]
    signs = (("gt", "above {}"), ("ge", "of {} or more"), ("lt", "below {}"), ("le", "of {} or less"))
    limits = [(text, getattr(bound, name, None)) for bound in bounds for name, text in signs]
    found = [text.format(limit) for text, limit in limits if limit is not None]
    return f" {' and '.join(found)}" if found else ""


def shown(value: Any) -> str:
    """A value as the user wrote it, cut short."""
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


def as_list(value: Any) -> str:
    """How to write a lone value as the list that it must be."""
    if isinstance(value, Mapping):
        return "; put a dash before each item"
    return "" if value is None else f"; write [{shown(value)}]"


KEYS_SHOWN = 12
"""Keys that a message lists, at most; there are 19 at the top of a file."""


def valid_keys(key: str, known: Collection[str], listed_as: str) -> str:
    """What to say of an unknown key: the nearest that is known, or which there are."""
    if not known:
        return "; there is nothing to set"
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
    """The way to a value as an override spells it."""
    return ".".join(f'"{step}"' if isinstance(step, str) and "." in step else str(step) for step in where)


def article(noun: str) -> str:
    """`a` or `an`."""
    return "an" if noun[0] in "aeiou" else "a"
