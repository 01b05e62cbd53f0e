"""Resolve files and folders named on the command line."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ftaug.errors import MissingInput, one_of, printable


def is_there(name: str) -> bool:
    """Whether a file or folder exists; False for invalid file names."""
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def files_of(name: str, suffixes: Sequence[bytes]) -> list[str]:
    """Return the file itself, or the sorted files below the folder; print ignored files to stderr.

    Raises MissingInput if there are none.
    """
    if not is_there(name):
        raise MissingInput(f"{name}: no such file or folder")
    if not Path(name).is_dir():
        return [name]
    left_out: Counter[str] = Counter()
    paths = below(Path(name), suffixes, left_out)
    read = one_of([suffix.decode() for suffix in suffixes])
    counted = ", ".join(f"{what} ({count:,})" for what, count in sorted(left_out.items()))
    if not paths:
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


def below(folder: Path, suffixes: Sequence[bytes], left_out: Counter[str] | None = None) -> list[str]:
    """List files below a folder with one of the suffixes, sorted, without hidden ones.

    Count other files by suffix in `left_out`. Raises MissingInput for an unreadable folder.
    """
    paths = []
    ignored = Counter[str]() if left_out is None else left_out
    for root, folders, names in os.walk(folder, onerror=_fail):
        ignored["links to folders"] += sum(Path(root, name).is_symlink() for name in folders)
        hidden = [name for name in (*folders, *names) if name.startswith(".")]
        ignored["hidden"] += len(hidden)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(set(names).difference(hidden)):
            if os.fsencode(name).lower().endswith(tuple(suffixes)):
                paths.append(str(Path(root, name)))
            else:
                ignored[Path(name).suffix.lower() or "without an ending"] += 1
    ignored += Counter()  # drops zero counts
    return paths


def _fail(error: OSError) -> None:
    raise MissingInput(f"{error.filename}: cannot be read: {error.strerror}") from None


def relative_path(path: Path, target: Path) -> str:
    """Return a path relative to the experiment file `target`."""
    return os.path.relpath(path.resolve(), target.resolve().parent)
