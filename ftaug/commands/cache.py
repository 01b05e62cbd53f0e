"""`ftaug cache`: list and clear the caches."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import typer

from ftaug.commands.options import AsJson

cache = typer.Typer(
    help="Show or remove the caches.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@cache.command(name="list")
def list_caches(as_json: AsJson = False) -> None:
    """List the caches with their sizes."""
    from ftaug.config.strict_json import dumps

    sizes = {str(path): _bytes(path) for path in _caches()}
    if as_json:
        print(dumps({"caches": sizes, "bytes": sum(sizes.values())}))
        return
    for path, size in sizes.items():
        print(f"{size / 1e6:10,.1f} MB  {path}")
    print(f"{sum(sizes.values()) / 1e6:10,.1f} MB  in all" if sizes else "no caches", file=sys.stderr)


@cache.command(name="clear")
def clear_caches(as_json: AsJson = False) -> None:
    """Remove all caches: they are written again when needed."""
    from ftaug.config.strict_json import dumps

    sizes = {str(path): _bytes(path) for path in _caches()}
    for path in sizes:
        shutil.rmtree(path)
    if as_json:
        print(dumps({"removed": list(sizes), "bytes": sum(sizes.values())}))
        return
    print(f"removed {len(sizes)} cache{'s' * (len(sizes) != 1)}, {sum(sizes.values()) / 1e6:,.1f} MB")


def _caches() -> Iterator[Path]:
    """Yield the caches: decoded images per dataset, features, indexes, shared arrays, remote files, and in memory."""
    from ftaug.data.cache_dirs import cache_folder, memory_folder

    memory = memory_folder()
    for folder in (cache_folder() / "decoded", cache_folder() / "features", *([memory] if memory else [])):
        yield from sorted(folder.iterdir()) if folder.is_dir() else ()
    yield from (path for name in ("index", "arrays", "remote") if (path := cache_folder() / name).is_dir())


def _bytes(folder: Path) -> int:
    return sum((Path(place) / name).stat().st_size for place, _, names in os.walk(folder) for name in names)
