"""Cells of a table that name files, such as pictures and sounds, below a root folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ftaug.errors import BadData, MissingInput


def path_inside(text: str, root: bytes, noun: str) -> bytes:
    """Return a file's path relative to the root, in bytes; raises BadData for one that leads out of it."""
    if not text:
        raise BadData(f"the {noun}'s path is empty")
    path = os.path.normpath(os.fsencode(text))
    if path.startswith(b"/") and b"\0" not in path:
        path = _from(root, path)
    if b"\0" in path or path.split(b"/")[0] == b"..":
        raise BadData(
            f"the {noun}'s path '{text}' leads out of the folder; set root to a folder that holds all {noun}s"
        )
    return path


def _from(root: bytes, path: bytes) -> bytes:
    """Return an absolute path relative to the root, resolving links in its folder."""
    if not path.startswith(root.rstrip(b"/") + b"/"):
        folder, name = os.path.split(path)
        path = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118 - bytes
    return os.path.relpath(path, root)


def file_status(root: Path, path: bytes, noun: str) -> os.stat_result:
    """Return the status of a file below the root; raises MissingInput, BadData."""
    try:
        status = os.stat(os.fsencode(root) + b"/" + path)  # noqa: PTH116 - a Path for each of a million rows is slow
    except OSError as error:
        raise MissingInput(f"no {noun} {os.fsdecode(path)} in {root}: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise BadData(f"{os.fsdecode(path)} is not a file")
    return status
