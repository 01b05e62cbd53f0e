"""What a cell of a table says, whichever format it came from."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any

import numpy as np

from ftaug.data import names
from ftaug.errors import BadData

_LARGEST = float(np.finfo(np.float32).max)
_EXACT = 2**53
"""Whole numbers up to here have a float of their own."""
_TRUTHS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}


def text(value: Any) -> str:
    """A cell as text: `3` and `true` as they are written in JSON, nothing as the empty text."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def plain_text(column: str, value: Any) -> str:
    """A cell of a column of texts; raises BadData for what is none."""
    if isinstance(value, list | tuple | dict | bytes):
        raise BadData(f"column '{column}' must hold texts; got {type(value).__name__}")
    return text(value)


def name(column: str, value: Any) -> str:
    """A cell of a column of names, as `names.normalized` has them: `1.0` of JSON or Parquet is `1`.

    Raises BadData for what is no name.
    """
    if isinstance(value, str):
        return names.normalized(value)
    if isinstance(value, list | tuple | dict | bytes):
        raise BadData(f"column '{column}' must hold a name in each row; got {type(value).__name__}")
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        if isinstance(value, float) and abs(value) > _EXACT:
            raise BadData(
                f"column '{column}': {value:.17g} is a rounded number, no exact name; save it as an integer or a text"
            )
        return str(int(value))
    return names.normalized(text(value))


def label_name(column: str, value: Any, known: Collection[str] = ()) -> str:
    """A cell, or an item of a list, as the name of one class; names that are known are taken as they are."""
    if isinstance(value, bytes):
        raise BadData(f"column '{column}' must hold names of classes; got bytes: save them as text in UTF-8")
    if isinstance(value, dict):
        raise BadData(f"column '{column}' must hold names of classes; got a structure: write one of its values")
    if isinstance(value, list | tuple):
        raise BadData(f"column '{column}': a list of labels holds a list; write a flat list of names")
    label = name(column, value)
    if label not in known and _is_written_list(label):
        raise BadData(
            f"column '{column}': the label {label[:60]} is a list written as text; write the names with a separator "
            'between them, such as cat|dog, and set labels_separator: "|"'
        )
    return label


def marks(values: Collection[Any]) -> bool:
    """Whether the values are numbers 0 and 1, or booleans, as in a list with a mark for each class."""
    return all(isinstance(value, int | float) and value in (0, 1) for value in values)


def group(column: str, value: Any) -> str | None:
    """The name of a group; None for a missing one, whichever way it is written."""
    found = name(column, value)
    return None if names.is_missing(found) else found


def truth(column: str, value: Any) -> bool:
    """A cell of a 0/1 column."""
    try:
        return _TRUTHS[names.normalized(text(value)).lower().removesuffix(".0")]
    except KeyError:
        raise BadData(f"column '{column}' must hold 0 or 1; got '{value}'") from None


def number(column: str, value: Any) -> float:
    """A cell of a column of numbers, exactly, and no larger than a model's float32 can answer."""
    written = text(value).strip()
    try:
        if isinstance(value, bool) or "_" in written:
            raise ValueError
        found = float(written)
    except ValueError:
        shown = f"'{written}'" if written else "nothing"
        raise BadData(f"column '{column}' must hold a number; got {shown}") from None
    if not math.isfinite(found) or abs(found) > _LARGEST:
        raise BadData(f"column '{column}' must hold a finite number; got '{written}'")
    return found


def split_name(value: Any) -> str:
    """The name of a split as ftaug writes it."""
    return names.split_name(text(value))


def _is_written_list(label: str) -> bool:
    """Whether a text is a list, tuple, set or dict as Python or NumPy print it; `[other]` is none."""
    if not label or label[0] + label[-1] not in ("[]", "()", "{}"):
        return False
    if re.fullmatch(r"\[[\d\s.]*\]", label):
        return True
    try:
        return isinstance(ast.literal_eval(label), list | tuple | set | dict)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
