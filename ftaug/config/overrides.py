"""Apply command-line overrides: `a.b=1`, `~a.b`, `augment.0.rotate.degrees=5`, `augment+={…}`."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ftaug.config.experiment import Experiment
from ftaug.config.renamed import KEYS
from ftaug.config.shapes import dataclass_shape
from ftaug.config.wording import dotted, shown
from ftaug.config.yaml_document import Document, Places, Where, parse_value
from ftaug.errors import ExperimentError, Place, Problem, did_you_mean

_STEP = re.compile(r'"([^"]+)"|([^."]+)')


class _Refused(Exception):
    """An override that cannot be applied, with the reason."""


def apply(
    document: Document, overrides: Sequence[str], places: Mapping[str, Place] | None = None
) -> tuple[Document, list[Problem]]:
    """Apply overrides in order; return the edited document and the problems of failed ones.

    `places` has the source of those overrides whose values are from the file.
    """
    edited = Document(copy.deepcopy(document.tree), dict(document.places), document.file)
    problems: list[Problem] = []
    for override in overrides:
        place = (places or {}).get(override) or Place(f"override '{override}'")
        try:
            _apply_one(edited, override, place)
        except _Refused as refusal:
            problems.append(Problem(str(refusal), place))
        except ExperimentError as error:
            problems += [Problem(p.message, place) for p in error.problems]
    return edited, problems


def _apply_one(document: Document, override: str, place: Place) -> None:
    if override.startswith("~"):
        holder, where = _reach(document, _steps(override[1:]), place)
        if not _has(holder, where[-1]):
            raise _Refused(f"{dotted(where)} is not set{_hint(holder, where)}")
        del holder[where[-1]]
        _forget(document, where)
        if isinstance(holder, list):
            _move_up(document, where)
        return
    left, equals, text = override.partition("=")
    if not equals:
        raise _Refused("expected key=value, key+=value or ~key")
    appends = left.endswith("+")
    steps = _steps(left.removesuffix("+").strip())
    if not text.strip():
        raise _Refused(f"the value is empty; expected one, or null: {left}=null")
    value = parse_value(text, place.file)
    holder, where = _reach(document, steps, place)
    if appends:
        _append(document, holder, where, value, place)
        return
    if isinstance(holder, list) and not _has(holder, where[-1]):
        raise _Refused(
            f"{dotted(where[:-1])} has {len(holder)} items, counted from 0; to add one: {dotted(where[:-1])}+={text}"
        )
    holder[where[-1]] = value
    _forget(document, where)
    _remember(document, where, place)


def _steps(text: str) -> list[str]:
    """Split `a."b.c".0` at its dots."""
    if any("\ud800" <= character <= "\udfff" for character in text):  # bytes from the shell that are not UTF-8
        raise _Refused("the key is not UTF-8 text")
    steps = [quoted or plain for quoted, plain in _STEP.findall(text)]
    if not steps or not re.fullmatch(rf"(?:{_STEP.pattern})(?:\.(?:{_STEP.pattern}))*", text):
        raise _Refused(f"'{text}' is not a key; expected something like train.epochs")
    return steps


def _reach(document: Document, steps: list[str], place: Place) -> tuple[Any, Where]:
    """Walk to the container of the last step, creating mappings on the way; return it and the full path."""
    holder: Any = document.tree
    where: Where = ()
    rest = list(steps)
    while True:
        step = _next_step(holder, rest)
        where = (*where, step)
        if not rest:
            return holder, where
        if isinstance(holder, list) and not _has(holder, step):
            raise _Refused(f"{dotted(where[:-1])} has {len(holder)} items, counted from 0")
        inner = holder[step] if _has(holder, step) else None
        if inner is None:
            holder[step] = {}
            document.places.setdefault(where, Places(place, place))
        elif isinstance(inner, str) and inner == ".".join(rest[: inner.count(".") + 1]):
            holder[step] = {inner: None}  # a component by its name alone now gets settings
            _remember(document, (*where, inner), document.place(where))
        elif not isinstance(inner, dict | list):
            key = dotted(where)
            raise _Refused(f"{key} is {shown(inner)}, which has no key '{rest[0]}'; set {key} itself")
        holder = holder[step]


def _next_step(holder: Any, rest: list[str]) -> str | int:
    """Split off the next step: a list index, or the longest existing key (names may contain dots)."""
    if isinstance(holder, list):
        if not rest[0].isdecimal():
            raise _Refused(f"'{rest[0]}' is not the index of a list item; expected 0 to {max(len(holder) - 1, 0)}")
        return int(rest.pop(0))
    for length in range(len(rest), 1, -1):
        key = ".".join(rest[:length])
        if key in holder:
            del rest[:length]
            return key
    return rest.pop(0)


def _append(document: Document, holder: Any, where: Where, value: Any, place: Place) -> None:
    """Append an item to a list, to the default list if the file sets none."""
    current = holder[where[-1]] if _has(holder, where[-1]) else _default(where)
    if isinstance(current, str) and _default(where) is not None:  # a word in place of a list of words
        holder[where[-1]] = current = [current]
        document.places[*where, 0] = document.places[where]
    if not isinstance(current, list):
        was = "is not set" if current is None else f"is {shown(current)}"
        raise _Refused(f"{dotted(where)} {was}, not a list to append to")
    if not _has(holder, where[-1]):
        holder[where[-1]] = current
        _remember(document, where, place)
    current.append(value)
    _remember(document, (*where, len(current) - 1), place)


def _default(where: Where) -> list[Any] | None:
    """Return the default of a list setting of the experiment or its sections."""
    value: Any = dataclass_shape(Experiment).defaults
    for step in where:
        value = value.get(str(step)) if isinstance(value, Mapping) else getattr(value, str(step), None)
    return list(value) if isinstance(value, tuple) else None


def _has(holder: Any, step: str | int) -> bool:
    if isinstance(holder, list):
        return isinstance(step, int) and step < len(holder)
    return step in holder


def _hint(holder: Any, where: Where) -> str:
    if present := KEYS.get(dotted(where)):
        return f"; it was renamed to '{present}'"
    return did_you_mean(str(where[-1]), list(holder)) if isinstance(holder, dict) else f"; it has {len(holder)} items"


def _remember(document: Document, where: Where, place: Place) -> None:
    document.places[where] = Places(place, place)


def _forget(document: Document, where: Where) -> None:
    """Drop the source places of replaced or removed values."""
    for old in [w for w in document.places if w[: len(where)] == where]:
        del document.places[old]


def _move_up(document: Document, removed: Where) -> None:
    """Renumber the list items after a removed one."""
    *head, gone = removed
    depth = len(head)
    for old in sorted(w for w in document.places if w[:depth] == tuple(head) and len(w) > depth):
        number = old[depth]
        if isinstance(number, int) and isinstance(gone, int) and number > gone:
            document.places[*head, number - 1, *old[depth + 1 :]] = document.places.pop(old)
