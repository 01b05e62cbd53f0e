"""Decompress the archives of a dataset before they are packed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ftaug.config.registry import Component
from ftaug.data.shards.archives import SUFFIXES
from ftaug.data.shards.decompress import decompress, is_compressed
from ftaug.data.shards.paths import shards
from ftaug.engine.system.storage import make_inside, remove, storage_errors
from ftaug.runs.report import console

FOLDER = ".decompressed"


def decompressed(dataset: Component, split: str, output: Path) -> Component:
    """Return the dataset with its compressed archives decompressed below the output folder, and the others in place.

    Those that an earlier start has decompressed are used again. Raises BadData, MissingInput, StorageError.
    """
    if not dataset.fact("archives"):
        return dataset
    files = shards(dataset.name, split, dataset.settings["path"], SUFFIXES)
    if not any(is_compressed(file) for file in files):
        return dataset
    folder = output / FOLDER / split
    with storage_errors(f"{folder}: cannot be written"):
        make_inside(output / FOLDER)
        make_inside(folder)
        names = [_name(number, file) for number, file in enumerate(files)]
        for entry in folder.iterdir():
            if entry.name not in names:
                remove(entry)  # of an archive that has changed, or half of one
        for number, (file, name) in enumerate(zip(files, names, strict=True), 1):
            if (folder / name).exists():
                continue
            if is_compressed(file):
                console.say(f"decompressing {file} ({number} of {len(files)})")
                decompress(file, folder / name)
            else:
                (folder / name).symlink_to(file)
    return replace(dataset, settings={**dataset.settings, "path": folder / "*.tar"})


def _name(number: int, file: Path) -> str:
    """Name a decompressed archive, so that it is not used when the archive has changed."""
    status = file.stat()
    return f"{number:06}-{file.name.partition('.')[0]}-{status.st_size}-{status.st_mtime_ns}.tar"
