"""The files that a command line names, alone or by their folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ftaug.errors import MissingInput, one_of


def is_there(name: str) -> bool:
    """Whether a name is that of a file or folder; what no file can be called is not there."""
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def check_there(names: Sequence[str]) -> None:
    """Raise MissingInput for all that are not there."""
    if missing := [f"{name}: no such file or folder" for name in names if not is_there(name)]:
        raise MissingInput(*missing)


def files_of(name: str, suffixes: Sequence[bytes]) -> list[str]:
    """The file itself, or those in the folder, in the order of their names; raises MissingInput where there is none."""
    found = below(Path(name), suffixes) if Path(name).is_dir() else [name]
    if not found:
        raise MissingInput(f"{name}: holds no {one_of([suffix.decode() for suffix in suffixes])}")
    return found


def content(path: str) -> bytes:
    """The bytes of a file; raises MissingInput, without its name."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise MissingInput(f"cannot be read: {error.strerror}") from None


def below(folder: Path, suffixes: Sequence[bytes]) -> list[str]:
    """The files below a folder that have one of the suffixes, in the order of their names; nothing that is hidden."""
    found = []
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and os.fsencode(name).lower().endswith(tuple(suffixes)):
                found.append(str(Path(root, name)))
    return found


def relative_path(path: Path, target: Path) -> str:
    """A path as the experiment file `target` names it: relative to that file."""
    return os.path.relpath(path.resolve(), target.resolve().parent)
