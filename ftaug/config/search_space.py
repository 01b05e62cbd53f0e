"""Search spaces, which stand in an experiment file where a value stands: `{search: {log: [1e-4, 1e-2]}}`."""

from __future__ import annotations

import copy
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ftaug.config.wording import dotted, shown
from ftaug.config.yaml_document import Document, Where, scalar
from ftaug.errors import Place, Problem, did_you_mean

SEARCH = "search"
FORMS = ("log", "range")

FIXED = (
    *("name", "seed", "plugins", "modality", "loggers", "evaluate.metrics", "evaluate.best", "evaluate.every"),
    *("data.val", "data.test", "data.split_seed", "data.confirmation", "data.bad_samples"),
)
"""Settings that all trials share, so that their results can be compared."""

FORM = "a list of values, or a range: {search: [1, 2]}, {search: {range: [0, 30]}} or {search: {log: [1e-4, 1e-2]}}"


class Unset(Enum):
    """Stands for the value of a setting that is left out."""

    UNSET = "unset"


UNSET = Unset.UNSET


@dataclass(frozen=True)
class Space:
    """The values that a setting may have: a list of choices, or a range of numbers."""

    where: Where  # of the setting
    place: Place
    choices: tuple[Any, ...] | None = None
    low: float = 0
    high: float = 0
    is_log: bool = False
    default: Any = None  # of a range, if `has_default`
    has_default: bool = False

    @property
    def key(self) -> str:
        """The dotted key of the setting, as in an override."""
        return dotted(self.where)

    @property
    def is_whole(self) -> bool:
        """Whether the values of a range are whole numbers."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def ends(self) -> tuple[Any, ...]:
        """The values to validate: all choices, or both ends of a range and its default."""
        if self.choices is not None:
            return self.choices
        return (self.low, self.high, *([self.default] if self.has_default else []))

    @property
    def paths(self) -> tuple[Where, ...]:
        """The paths of `ends` in the file."""
        if self.choices is not None:
            return tuple((*self.where, SEARCH, index) for index in range(len(self.choices)))
        form = (*self.where, SEARCH, "log" if self.is_log else "range")
        return ((*form, 0), (*form, 1), (*self.where, SEARCH, "default"))[: len(self.ends)]

    @property
    def example(self) -> str:
        """An override that sets the value."""
        return "".join(overrides_of({self.where: self.first}))

    @property
    def first(self) -> Any:
        """A value to begin with: the stated default, the first choice, or the middle of a range."""
        if self.choices is not None:
            return self.choices[0]
        return self.default if self.has_default else self.middle

    @property
    def present(self) -> Any:
        """A value that leaves the numbers of list items as they are in the file."""
        if self.choices is not None:
            return next((choice for choice in self.choices if choice is not None), None)
        return self.first

    @property
    def middle(self) -> Any:
        """The middle of a range, on a logarithmic scale of one that has such."""
        return self.rounded((self.low * self.high) ** 0.5 if self.is_log else (self.low + self.high) / 2)

    def value_at(self, share: float) -> Any:
        """Return the value at a share of the range or of the choices, from 0 to 1; rounded to six digits."""
        if self.choices is not None:
            return self.choices[min(int(share * len(self.choices)), len(self.choices) - 1)]
        low, high = self.low, self.high
        if self.is_whole:  # each whole number has an interval of the same length
            low, high = low - 0.5, high + 0.5
        value = low * (high / low) ** share if self.is_log else low + share * (high - low)
        return self.rounded(value)

    def rounded(self, value: float) -> Any:
        """Round a value to six digits, or to a whole number, within the range."""
        value = round(value) if self.is_whole else float(f"{value:.6g}")
        return min(max(value, self.low), self.high)

    def as_json(self) -> dict[str, Any]:
        """Convert to a JSON value."""
        if self.choices is not None:
            return {"choices": list(self.choices)}
        default = {"default": self.default} if self.has_default else {}
        return {"log" if self.is_log else "range": [self.low, self.high], **default}


def find_spaces(document: Document) -> tuple[list[Space], list[Problem]]:
    """Return the spaces of a file in its order, and the problems of those that are none."""
    spaces: list[Space] = []
    problems: list[Problem] = []
    for where, content in _nodes(document.tree, ()):
        try:
            spaces.append(_space(where, content, document))
        except _Invalid as error:
            problems.append(Problem(f"{dotted(where)}: {error}", document.place((*where, SEARCH, *error.path))))
    return spaces, problems


def filled(document: Document, spaces: Sequence[Space]) -> Document:
    """Return the document with a value in place of each space."""
    tree = copy.deepcopy(document.tree)
    for space in spaces:
        holder: Any = tree
        for step in space.where[:-1]:
            holder = holder[step]
        holder[space.where[-1]] = space.present
    return Document(tree, document.places, document.file)


def places_of_invalid(document: Document, spaces: Sequence[Space]) -> set[Place]:
    """Return the places of all that stands in spaces which are none, given those that are."""
    valid = {space.where for space in spaces}
    inside = {where for where, _ in _nodes(document.tree, ()) if where not in valid}
    places = {document.place(where) for where in inside}
    for where, each in document.places.items():
        if any(where[:length] in inside for length in range(len(where))):
            places |= {each.key, each.value}
    return places


def overrides_of(values: Mapping[Where, Any]) -> tuple[str, ...]:
    """Return the overrides that set values; UNSET leaves a setting out, and null in a list removes the item.

    Items are removed last, from the last one to the first, since that changes their numbers.
    """
    changes, left_out, removed = [], [], []
    for where, value in values.items():
        if value is UNSET:
            left_out.append(f"~{dotted(where)}")
        elif value is None and isinstance(where[-1], int):
            removed.append(where)
        else:
            changes.append(f"{dotted(where)}={written(value)}")
    return (*changes, *left_out, *(f"~{dotted(where)}" for where in sorted(removed, key=_order, reverse=True)))


def is_within(key: str, section: str) -> bool:
    """Whether a dotted key is that of a section, or of a setting in it."""
    return key == section or key.startswith(f"{section}.")


def written(value: Any) -> str:
    """Format a value as YAML in one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{written(key)}: {written(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, str):
        is_plain = re.fullmatch(r"[A-Za-z][\w./+-]*( [\w./+-]+)*", value) and isinstance(scalar(value), str)
        return value if is_plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _order(where: Where) -> tuple[tuple[int, str], ...]:
    """Sort key of paths: list indices by number."""
    return tuple((step, "") if isinstance(step, int) else (-1, step) for step in where)


class _Invalid(Exception):
    """The problem of a space, and the path in it."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.path = path


def _nodes(tree: Any, where: Where) -> Iterator[tuple[Where, Any]]:
    """Yield the path and the content of each space; the upper level may have a section of that name."""
    if isinstance(tree, dict) and where and set(tree) == {SEARCH}:
        yield where, tree[SEARCH]
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from _nodes(value, (*where, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _nodes(value, (*where, index))


def _space(where: Where, content: Any, document: Document) -> Space:
    """Build a space; raises _Invalid."""
    place = document.place(where)
    if where[0] == SEARCH:
        raise _Invalid("the settings of the search itself cannot be searched")
    if any(True for _ in _nodes(content, (SEARCH,))):
        raise _Invalid("a search cannot contain another; list whole values")
    if isinstance(content, list):
        return Space(where, place, choices=_choices(content))
    if not isinstance(content, dict):
        raise _Invalid(f"must be {FORM}; got {shown(content)}")
    for key in content:
        if key not in (*FORMS, "default"):
            raise _Invalid(f"unknown key '{key}'{did_you_mean(key, [*FORMS, 'default'])}", key)
    forms = [key for key in FORMS if key in content]
    if len(forms) != 1:
        raise _Invalid(f"must be {FORM}; got {shown(content)}")
    low, high = _range(content[forms[0]], forms[0])
    default = content.get("default")
    if "default" in content and not _is_number(default):
        raise _Invalid(f"default must be a number; got {shown(default)}", "default")
    return Space(where, place, None, low, high, forms[0] == "log", default, "default" in content)


def _choices(values: Sequence[Any]) -> tuple[Any, ...]:
    if len(values) < 2:
        has = "only one value" if values else "no values"
        raise _Invalid(f"has {has}; a search needs at least two, or leave it out")
    for index, value in enumerate(values):
        if any(value == other and type(value) is type(other) for other in values[:index]):
            raise _Invalid(f"{shown(value)} is listed twice", index)
    return tuple(values)


def _range(ends: Any, form: str) -> tuple[float, float]:
    """Return both ends of a range; raises _Invalid."""
    if not (isinstance(ends, list) and len(ends) == 2 and all(map(_is_number, ends))):
        raise _Invalid(f"{form} must be two numbers, [lowest, highest]; got {shown(ends)}", form)
    low, high = ends
    if not low < high:
        raise _Invalid(f"{form} must go from the lowest to the highest value; got {shown(ends)}", form)
    if form == "log" and low <= 0:
        raise _Invalid(f"log must begin above 0; got {shown(ends)}", form)
    return low, high


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
