"""Cached index of a large folder, so that the next run need not scan it again."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from ftaug.data.cache_dirs import cache_folder
from ftaug.data.folders.scan import Kind, Scan, scan
from ftaug.data.index_file import CLOCK_TICK, WORTH_KEEPING, load, save

_VERSION = 2


def scan_or_recall(root: Path, kind: Kind, *, outside_links: bool = False) -> Scan:
    """Scan the folder, or load a cached index if no subfolder was modified since."""
    file = _file_for(root, kind, outside_links)
    if (cached := _load(file)) is not None and _unchanged(root, cached):
        return cached
    scan_start = time.time_ns()
    result = scan(root, kind, outside_links=outside_links)
    if len(result.paths) >= WORTH_KEEPING and int(result.modified.max()) < scan_start - CLOCK_TICK:
        save(file, _VERSION, vars(result))
    return result


def _file_for(root: Path, kind: Kind, outside_links: bool) -> Path:
    """Return the path of a folder's index, keyed by its path and scan settings."""
    key_parts = (os.fsencode(root), *kind.suffixes, b"outside" if outside_links else b"inside")
    key = hashlib.sha256(b"\0".join(key_parts)).hexdigest()
    return cache_folder() / "index" / f"{key[:32]}.npz"


def _load(file: Path) -> Scan | None:
    values = load(file, _VERSION)
    try:
        return None if values is None else Scan(**values)
    except TypeError:  # of other fields
        return None


def _unchanged(root: Path, cached: Scan) -> bool:
    """Whether the mtime of every folder is unchanged; adding, removing or renaming a file changes it."""
    prefix = os.fsencode(root) + b"/"
    try:
        now = (Path(os.fsdecode(prefix + cached.folders[i])).stat().st_mtime_ns for i in range(len(cached.folders)))
        return all(time == before for time, before in zip(now, cached.modified.tolist(), strict=True))
    except OSError:
        return False
