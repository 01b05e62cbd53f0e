"""Resolve files and folders named on the command line."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from ftaug.data.folders.scan import suffix_of
from ftaug.data.packed import Packed
from ftaug.errors import MissingInput, one_of, printable


def is_there(name: str) -> bool:
    """Whether a file or folder exists; False for invalid file names."""
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def files_of(name: str, suffixes: Sequence[bytes]) -> Packed:
    """Return the path of the file, or of the sorted files below the folder; print ignored files to stderr.

    Raises MissingInput if there are none.
    """
    if not is_there(name):
        address = "; files at addresses are read by data sets of experiments only" if "://" in name else ""
        raise MissingInput(f"{name}: no such file or folder{address}")
    if not Path(name).is_dir():
        return Packed.of([os.fsencode(name)])
    left_out: Counter[str] = Counter()
    paths = below(Path(name), suffixes, left_out)
    read = one_of([suffix.decode() for suffix in suffixes])
    counted = ", ".join(f"{what} ({count:,})" for what, count in sorted(left_out.items()))
    if not len(paths):
        raise MissingInput(f"{name}: holds no {read}" + (f"; it holds {counted}" if counted else ""))
    if left_out:
        print(printable(f"{name}: ignored: {counted}; supported: {read}"), file=sys.stderr)
    return paths


def content(path: str) -> bytes:
    """Read the bytes of a file; raises MissingInput without the file's name."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise MissingInput(f"cannot be read: {error.strerror}") from None


def version_of(path: str) -> str:
    """Return the size and the modification time of a file; empty if it cannot be read."""
    try:
        status = os.stat(path)  # noqa: PTH116  pathlib takes three times as long
    except (OSError, ValueError):
        return ""
    return f"{status.st_size}-{status.st_mtime_ns}"


def below(folder: Path, suffixes: Sequence[bytes], left_out: Counter[str] | None = None) -> Packed:
    """List files below a folder with one of the suffixes, sorted, without hidden ones.

    Count other files by suffix in `left_out`. Raises MissingInput for an unreadable folder.
    """
    ignored = Counter[str]() if left_out is None else left_out
    paths = Packed.of(_files_below(os.fsencode(folder), tuple(suffixes), ignored))
    ignored += Counter()  # drops zero counts
    return paths


def _files_below(folder: bytes, suffixes: tuple[bytes, ...], ignored: Counter[str]) -> Iterator[bytes]:
    for root, folders, names in os.walk(folder, onerror=_fail):
        ignored["links to folders"] += sum(Path(os.fsdecode(root), os.fsdecode(name)).is_symlink() for name in folders)
        ignored["hidden"] += sum(name.startswith(b".") for name in (*folders, *names))
        folders[:] = sorted(name for name in folders if not name.startswith(b"."))
        names.sort()
        for name in names:
            if name.startswith(b"."):
                continue
            if name.lower().endswith(suffixes):
                yield os.path.join(root, name)  # noqa: PTH118  of millions
            else:
                ignored[os.fsdecode(suffix_of(name)) or "without an ending"] += 1


def _fail(error: OSError) -> None:
    raise MissingInput(f"{os.fsdecode(error.filename)}: cannot be read: {error.strerror}") from None


def relative_path(path: Path, target: Path) -> str:
    """Return a path relative to the experiment file `target`."""
    return os.path.relpath(path.resolve(), target.resolve().parent)
