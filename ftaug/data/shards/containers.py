"""Tell what kind of large files a path holds."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from ftaug.data.shards.archives import SUFFIXES as ARCHIVES
from ftaug.data.shards.arrow_files import is_on_disk
from ftaug.data.shards.parquet_files import SUFFIXES as PARQUET

Container = Literal["shards", "parquet", "hf_disk"]


def container_at(path: Path) -> Container | None:
    """Return the kind of large files at a path: that of a file, of those in a folder, or None."""
    if path.is_dir() and is_on_disk(path):
        return "hf_disk"
    entries = [entry for entry in path.iterdir() if not entry.name.startswith(".")] if path.is_dir() else [path]
    if path.is_dir() and any(entry.is_dir() for entry in entries):
        return None  # archives beside class folders
    names = [entry.name.lower() for entry in entries]
    if any(name.endswith(ARCHIVES) for name in names):
        return "shards"
    return "parquet" if any(name.endswith(PARQUET) for name in names) else None
