"""Find the shards that a path names: a file, a folder, `train-{000..146}.tar` or `train-*.tar`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from ftaug.config.wording import listed
from ftaug.data import names
from ftaug.data.remote.local_copy import local_copy
from ftaug.errors import BadData, ExperimentError, MissingInput, did_you_mean, one_of

SHOWN = 3
_BRACES = re.compile(r"\{([^{}]+)\}")


def shards(reader: str, split: str, path: Path | str, suffixes: Sequence[str]) -> list[Path]:
    """Return the shards in their order; `reader` is the dataset's name in errors. Raises MissingInput, BadData.

    Those at an address, which is a string, are copied to the cache.

    Of a folder, those with one of the suffixes: the ones named after the split if files are named after splits, such
    as `train-00000-of-00002.parquet`, or all.
    """
    if isinstance(path, str):
        if "*" in path:
            raise ExperimentError(f"{reader}: {path} has a *, which addresses cannot have; name files as {{000..146}}")
        return [local_copy(address) for address in expand_braces(path)]
    if path.is_file():
        return [path]
    if path.is_dir():
        return _of_split(split, path, _in_folder(reader, path, suffixes))
    files = [Path(text) for text in expand_braces(str(path))]
    if len(files) > 1:
        if missing := [file.name for file in files if not file.is_file()]:
            raise MissingInput(
                f"{path}: {len(missing):,} of {len(files):,} shards are missing: {listed(missing, SHOWN)}"
            )
        return files
    if any(mark in path.name for mark in "*?["):
        if files := sorted(file for file in path.parent.glob(path.name) if file.is_file()):
            return files
        raise MissingInput(f"no file matches {path}")
    siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    raise MissingInput(f"no file or folder {path}{did_you_mean(path.name, siblings)}")


def expand_braces(text: str) -> list[str]:
    """Expand `{000..146}` and `{a,b}` as a shell does."""
    pieces = _BRACES.split(text)
    choices = [_choices(piece) if number % 2 else [piece] for number, piece in enumerate(pieces)]
    return ["".join(parts) for parts in product(*choices)]


def _choices(content: str) -> list[str]:
    if bounds := re.fullmatch(r"(\d+)\.\.(\d+)", content):
        first, last = int(bounds[1]), int(bounds[2])
        width = len(bounds[1]) if bounds[1].startswith("0") or len(bounds[1]) == len(bounds[2]) else 0
        return [f"{number:0{width}}" for number in range(first, last + 1)]
    return content.split(",") if "," in content else [f"{{{content}}}"]


def _in_folder(reader: str, folder: Path, suffixes: Sequence[str]) -> list[Path]:
    files = sorted(
        file
        for file in folder.iterdir()
        if file.name.lower().endswith(tuple(suffixes)) and not file.name.startswith(".")
    )
    if not files:
        raise MissingInput(f"{folder}: {reader} found no {one_of(suffixes)} in this folder")
    return files


def splits_named(folder: Path, suffixes: Sequence[str]) -> set[str]:
    """Return the splits that files in a folder are named after, by their canonical names; none for a file."""
    files = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    splits = {_split_of(name) for name in files if name.lower().endswith(tuple(suffixes))}
    return {name for name in splits if names.is_split(name)}


def _split_of(name: str) -> str:
    return names.split_name(re.split(r"[-_.]", name)[0])


def _of_split(split: str, folder: Path, files: Sequence[Path]) -> list[Path]:
    """Return the files named after the split; all if none is named after a split."""
    by_split = [_split_of(file.name) for file in files]
    named = sorted({name for name in by_split if names.is_split(name)})
    if not named:
        return [*files]
    selected = [file for file, name in zip(files, by_split, strict=True) if name == split]
    if not selected:
        raise BadData(f"{folder} has no shards named after '{split}'; there are those of {', '.join(named)}")
    return selected
