"""Cached index of a large folder, so that the next run need not scan it again."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np

from ftaug.data.cache_dirs import cache_folder
from ftaug.data.folders.scan import Kind, Scan, scan
from ftaug.data.packed import Packed

WORTH_KEEPING = 10_000
"""Minimum number of files for an index to be cached."""

_VERSION = 2
_CLOCK_TICK = 2_000_000_000  # ns: a folder modified this recently may change again within the same mtime tick


def scan_or_recall(root: Path, kind: Kind, *, outside_links: bool = False) -> Scan:
    """Scan the folder, or load a cached index if no subfolder was modified since."""
    file = _file_for(root, kind, outside_links)
    if (cached := _load(file)) is not None and _unchanged(root, cached):
        return cached
    scan_start = time.time_ns()
    result = scan(root, kind, outside_links=outside_links)
    if len(result.paths) >= WORTH_KEEPING and int(result.modified.max()) < scan_start - _CLOCK_TICK:
        _save(result, file)
    return result


def _file_for(root: Path, kind: Kind, outside_links: bool) -> Path:
    """Return the path of a folder's index, keyed by its path and scan settings."""
    key_parts = (os.fsencode(root), *kind.suffixes, b"outside" if outside_links else b"inside")
    key = hashlib.sha256(b"\0".join(key_parts)).hexdigest()
    return cache_folder() / "index" / f"{key[:32]}.npz"


def _unchanged(root: Path, cached: Scan) -> bool:
    """Whether the mtime of every folder is unchanged; adding, removing or renaming a file changes it."""
    prefix = os.fsencode(root) + b"/"
    try:
        now = (Path(os.fsdecode(prefix + cached.folders[i])).stat().st_mtime_ns for i in range(len(cached.folders)))
        return all(time == before for time, before in zip(now, cached.modified.tolist(), strict=True))
    except OSError:
        return False


def _save(result: Scan, file: Path) -> None:
    """Write the index atomically, by rename; an unwritable cache is ignored."""
    plain = {field.name: getattr(result, field.name) for field in fields(Scan)}
    arrays = {name: value for name, value in plain.items() if isinstance(value, np.ndarray)}
    for name, value in plain.items():
        if isinstance(value, Packed):
            arrays[f"{name}.buffer"] = np.frombuffer(value.buffer, np.uint8)
            arrays[f"{name}.ends"] = value.ends
    rest = {name: plain[name] for name in ("classes", "loose", "notes", "fingerprint")}
    arrays["rest"] = np.frombuffer(json.dumps({"version": _VERSION, **rest}).encode(), np.uint8)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".partial", delete=False) as partial:
            np.savez(partial, allow_pickle=False, **arrays)
        Path(partial.name).replace(file)
    except OSError:
        return


def _load(file: Path) -> Scan | None:
    """Load an index; None if it is missing, damaged or of another version."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            rest = json.loads(arrays["rest"].tobytes())
            if rest.pop("version") != _VERSION:
                return None
            return Scan(
                classes=tuple(rest["classes"]),
                paths=Packed(arrays["paths.buffer"].tobytes(), arrays["paths.ends"]),
                targets=arrays["targets"],
                folders=Packed(arrays["folders.buffer"].tobytes(), arrays["folders.ends"]),
                modified=arrays["modified"],
                loose=rest["loose"],
                notes=tuple(rest["notes"]),
                fingerprint=rest["fingerprint"],
                keys=arrays["keys"],
            )
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None
