"""What a cell of a table says, whichever format it came from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ftaug.errors import BadData

_LARGEST = float(np.finfo(np.float32).max)
_TRUTHS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
_SPLITS = {"training": "train", "valid": "val", "validation": "val", "dev": "val", "testing": "test"}


def text(value: Any) -> str:
    """A cell as text: `3` and `true` as they are written in JSON, nothing as the empty text."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def truth(column: str, value: Any) -> bool:
    """A cell of a 0/1 column."""
    try:
        return _TRUTHS[text(value).strip().lower().removesuffix(".0")]
    except KeyError:
        raise BadData(f"column '{column}' must hold 0 or 1; got '{value}'") from None


def number(column: str, value: Any) -> float:
    """A cell of a column of numbers, finite in float32."""
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
    """The name of a split as ftaug says it."""
    name = text(value).strip().lower()
    return _SPLITS.get(name, name)
