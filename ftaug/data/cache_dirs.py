"""Where what can be made again is kept: on disk between runs, in memory while one lasts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

MEMORY = Path("/dev/shm")


def cache_folder() -> Path:
    """The folder on disk."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser(), "ftaug")


def memory_folder() -> Path | None:
    """The folder in memory, one for each user; None where the system has no such place."""
    return MEMORY / f"ftaug-{os.getuid()}" if MEMORY.is_dir() else None


def of_this_process(key: str) -> str:
    """The name of a cache that ends with this process."""
    return f"{key}-{os.getpid()}"


def abandoned() -> Iterator[Path]:
    """The caches in memory whose process is gone: it was killed, and could not remove them."""
    folder = memory_folder()
    for path in sorted(folder.iterdir()) if folder and folder.is_dir() else ():
        process = path.name.rpartition("-")[2]
        if not (process.isdigit() and Path("/proc", process).exists()):
            yield path
