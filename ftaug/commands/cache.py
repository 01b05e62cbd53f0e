"""`ftaug cache`: what is kept between runs, and how to be rid of it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from ftaug.config.strict_json import dumps
from ftaug.data.cache_dirs import cache_folder, memory_folder


def show(as_json: bool) -> None:
    """Print each cache with its size."""
    found = {str(path): _bytes(path) for path in _caches()}
    if as_json:
        print(dumps({"caches": found, "bytes": sum(found.values())}))
        return
    for path, size in found.items():
        print(f"{size / 1e6:10,.1f} MB  {path}")
    print(f"{sum(found.values()) / 1e6:10,.1f} MB  in all" if found else "no caches", file=sys.stderr)


def clear(as_json: bool) -> None:
    """Remove all of them."""
    found = {str(path): _bytes(path) for path in _caches()}
    for path in found:
        shutil.rmtree(path)
    if as_json:
        print(dumps({"removed": list(found), "bytes": sum(found.values())}))
        return
    print(f"removed {len(found)} cache{'s' * (len(found) != 1)}, {sum(found.values()) / 1e6:,.1f} MB")


def _caches() -> Iterator[Path]:
    """Decoded pictures by dataset, features, indexes of folders, shared arrays, and what is in memory."""
    memory = memory_folder()
    for folder in (cache_folder() / "decoded", cache_folder() / "features", *([memory] if memory else [])):
        yield from sorted(folder.iterdir()) if folder.is_dir() else ()
    yield from (path for name in ("index", "arrays") if (path := cache_folder() / name).is_dir())


def _bytes(folder: Path) -> int:
    return sum((Path(place) / name).stat().st_size for place, _, names in os.walk(folder) for name in names)
