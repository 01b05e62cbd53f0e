"""Cache files of indices: arrays, packed byte strings and JSON in one .npz file."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.data.packed import Packed

WORTH_KEEPING = 10_000
"""Minimum number of samples for an index to be cached."""

CLOCK_TICK = 2_000_000_000
"""Nanoseconds: a file or folder modified this recently may change again within the same tick of its mtime."""


def save(file: Path, version: int, values: Mapping[str, Any]) -> None:
    """Write an index atomically, by rename; an unwritable cache is ignored. Values: arrays, Packed, JSON."""
    arrays: dict[str, np.ndarray] = {}
    rest: dict[str, Any] = {"version": version}
    for name, value in values.items():
        if isinstance(value, Packed):
            arrays[f"{name}.buffer"] = np.frombuffer(value.buffer, np.uint8)
            arrays[f"{name}.ends"] = value.ends
        elif isinstance(value, np.ndarray):
            arrays[name] = value
        else:
            rest[name] = value
    arrays["rest"] = np.frombuffer(json.dumps(rest).encode(), np.uint8)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".partial", delete=False) as partial:
            np.savez(partial, allow_pickle=False, **arrays)
        Path(partial.name).replace(file)
    except OSError:
        return


def load(file: Path, version: int) -> dict[str, Any] | None:
    """Load an index; None if it is missing, damaged or of another version. JSON lists come back as tuples."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            rest = json.loads(arrays["rest"].tobytes())
            if rest.pop("version") != version:
                return None
            values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in rest.items()}
            for name in arrays.files:
                if name.endswith(".buffer"):
                    key = name.removesuffix(".buffer")
                    values[key] = Packed(arrays[name].tobytes(), arrays[f"{key}.ends"])
                elif name != "rest" and not name.endswith(".ends"):
                    values[name] = arrays[name]
            return values
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None
