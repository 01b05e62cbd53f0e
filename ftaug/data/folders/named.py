"""The files that a command line names, alone or by their folder."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ftaug.errors import MissingInput, one_of, printable


def is_there(name: str) -> bool:
    """Whether a name is that of a file or folder; what no file can be called is not there."""
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False


def files_of(name: str, suffixes: Sequence[bytes]) -> list[str]:
    """The file itself, or those in the folder, in the order of their names; says on stderr what it leaves out.

    Raises MissingInput where there is none.
    """
    if not is_there(name):
        raise MissingInput(f"{name}: no such file or folder")
    if not Path(name).is_dir():
        return [name]
    left_out: Counter[str] = Counter()
    found = below(Path(name), suffixes, left_out)
    read = one_of([suffix.decode() for suffix in suffixes])
    counted = ", ".join(f"{what} ({count:,})" for what, count in sorted(left_out.items()))
    if not found:
        raise MissingInput(f"{name}: holds no {read}" + (f"; it holds {counted}" if counted else ""))
    if left_out:
        print(printable(f"{name}: left out: {counted}; read are {read}"), file=sys.stderr)
    return found


def content(path: str) -> bytes:
    """The bytes of a file; raises MissingInput, without its name."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise MissingInput(f"cannot be read: {error.strerror}") from None


def below(folder: Path, suffixes: Sequence[bytes], left_out: Counter[str] | None = None) -> list[str]:
    """The files below a folder that have one of the suffixes, in the order of their names; nothing that is hidden.

    Counts in `left_out` the others by suffix. Raises MissingInput for a folder that cannot be read.
    """
    found = []
    ignored = Counter[str]() if left_out is None else left_out
    for root, folders, names in os.walk(folder, onerror=_fail):
        ignored["links to folders"] += sum(Path(root, name).is_symlink() for name in folders)
        hidden = [name for name in (*folders, *names) if name.startswith(".")]
        ignored["hidden"] += len(hidden)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(set(names).difference(hidden)):
            if os.fsencode(name).lower().endswith(tuple(suffixes)):
                found.append(str(Path(root, name)))
            else:
                ignored[Path(name).suffix.lower() or "without an ending"] += 1
    ignored += Counter()  # drops what was not there
    return found


def _fail(error: OSError) -> None:
    raise MissingInput(f"{error.filename}: cannot be read: {error.strerror}") from None


def relative_path(path: Path, target: Path) -> str:
    """A path as the experiment file `target` names it: relative to that file."""
    return os.path.relpath(path.resolve(), target.resolve().parent)
