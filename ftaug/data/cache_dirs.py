"""Cache directories: on disk between runs, in shared memory during a run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

MEMORY = Path("/dev/shm")


def cache_folder() -> Path:
    """Return the cache folder on disk: $XDG_CACHE_HOME/ftaug or ~/.cache/ftaug."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser(), "ftaug")


def memory_folder() -> Path | None:
    """Return the cache folder in shared memory, one per user; None if the system has no /dev/shm."""
    return MEMORY / f"ftaug-{os.getuid()}" if MEMORY.is_dir() else None


def of_this_process(key: str) -> str:
    """Return a cache name that identifies this process."""
    return f"{key}-{os.getpid()}"


def abandoned() -> Iterator[Path]:
    """Yield stale caches in shared memory, left by killed processes."""
    folder = memory_folder()
    for path in sorted(folder.iterdir()) if folder and folder.is_dir() else ():
        process = path.name.rpartition("-")[2]
        if not (process.isdigit() and Path("/proc", process).exists()):
            yield path
