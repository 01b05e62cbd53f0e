"""Parse table cells, independent of the file format."""

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
"""Largest magnitude up to which every integer is exactly representable as a float64."""
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_TRUTHS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}


def text(value: Any) -> str:
    """Convert a cell to text: numbers and booleans as in JSON; missing values as the empty text."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def plain_text(column: str, value: Any) -> str:
    """Parse a text cell; raises BadData for lists, structures and bytes."""
    if isinstance(value, list | tuple | dict | bytes):
        raise BadData(f"column '{column}' must contain strings; got {type(value).__name__}")
    return text(value)


def name(column: str, value: Any) -> str:
    """Parse a name, normalized by `names.normalized`; `1.0` of JSON or Parquet becomes `1`.

    Raises BadData for lists, structures, bytes and inexact integers.
    """
    if isinstance(value, str):
        return names.normalized(value)
    if isinstance(value, list | tuple | dict | bytes):
        raise BadData(f"column '{column}' must contain a name in each row; got {type(value).__name__}")
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        if isinstance(value, float) and abs(value) > _EXACT:
            raise BadData(
                f"column '{column}': {value:.17g} is a rounded number, no exact name; save it as an integer or string"
            )
        return str(int(value))
    return names.normalized(text(value))


def label_name(column: str, value: Any, known: Collection[str] = ()) -> str:
    """Parse a class name from a cell or list item; `known` names are accepted unchecked. Raises BadData."""
    if isinstance(value, bytes):
        raise BadData(f"column '{column}' must contain class names; got bytes: save them as UTF-8 text")
    if isinstance(value, dict):
        raise BadData(f"column '{column}' must contain class names; got a structure: write one of its values")
    if isinstance(value, list | tuple):
        raise BadData(f"column '{column}': a list of labels contains a list; write a flat list of names")
    label = name(column, value)
    if label not in known and _is_written_list(label):
        raise BadData(
            f"column '{column}': the label {label[:60]} is a list written as text; write the names with a separator "
            'between them, such as cat|dog, and set labels_separator: "|"'
        )
    return label


def marks(values: Collection[Any]) -> bool:
    """Whether the values are 0/1 or booleans, as in a multi-hot list."""
    return all(isinstance(value, int | float) and value in (0, 1) for value in values)


def group(column: str, value: Any) -> str | None:
    """Parse a group name; None for a missing value."""
    label = name(column, value)
    return None if names.is_missing(label) else label


def truth(column: str, value: Any) -> bool:
    """Parse a 0/1 cell; raises BadData."""
    try:
        return _TRUTHS[names.normalized(text(value)).lower().removesuffix(".0")]
    except KeyError:
        raise BadData(f"column '{column}' must contain 0 or 1; got '{value}'") from None


def number(column: str, value: Any) -> float:
    """Parse a finite number within the range of float32; raises BadData."""
    content = text(value).strip()
    try:
        if isinstance(value, bool) or "_" in content:
            raise ValueError
        result = float(content)
    except ValueError:
        shown = f"'{content}'" if content else "nothing"
        point = f"; write {content.replace(',', '.')}" if _DECIMAL_COMMA.fullmatch(content) else ""
        raise BadData(f"column '{column}' must contain a number; got {shown}{point}") from None
    if not math.isfinite(result) or abs(result) > _LARGEST:
        raise BadData(f"column '{column}' must contain a finite number; got '{content}'")
    return result


def split_name(value: Any) -> str:
    """Parse a split name into its canonical form."""
    return names.split_name(text(value))


def _is_written_list(label: str) -> bool:
    """Whether a text is the repr of a list, tuple, set, dict or NumPy array; `[other]` is not."""
    if not label or label[0] + label[-1] not in ("[]", "()", "{}"):
        return False
    if re.fullmatch(r"\[[\d\s.]*\]", label):
        return True
    try:
        return isinstance(ast.literal_eval(label), list | tuple | set | dict)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return False
