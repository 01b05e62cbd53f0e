"""Manifests: the sizes and SHA-256 digests of the files of a checkpoint or a complete run; imports no torch."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from pathlib import Path

from ftaug.config.strict_json import dumps
from ftaug.engine.system.run_files import MANIFEST, read_json
from ftaug.engine.system.storage import sha256
from ftaug.errors import BadData

UNREADABLE = {errno.ENOMEM, errno.EMFILE, errno.ENFILE}
"""Errors of the process, such as a lack of memory or descriptors, which say nothing about a file."""


def manifest_of(folder: Path, names: Sequence[str] | None = None) -> bytes:
    """Return the manifest of a folder in canonical form: of all its files, or of some by their relative paths."""
    if names is None:
        names = [path.name for path in folder.iterdir() if path.name != MANIFEST and not path.name.startswith(".")]
    rows = {
        name: {"size": (folder / name).stat().st_size, "sha256": sha256(folder / name)}
        for name in sorted(names, key=lambda name: folder / name)
    }
    return dumps({"files": rows}, indent=1).encode()


def read_manifest(folder: Path) -> dict[str, str] | None:
    """Read the digests of a folder's manifest by relative path; None if there is none. Raises BadData."""
    content = read_json(folder / MANIFEST, {"files": dict})
    if content is None:
        return None
    try:
        return {str(name): str(row["sha256"]) for name, row in content["files"].items()}
    except (TypeError, KeyError):
        raise BadData(f"{folder / MANIFEST}: is damaged; restore it from a copy") from None


def file_defect(path: Path, digest: str) -> str:
    """Return how a file differs from its digest, or the empty string if it does not."""
    try:
        return "" if sha256(path) == digest else "its content differs from its hash"
    except (FileNotFoundError, ValueError):  # no file can have a name with NUL or half of a surrogate pair
        return "is missing"
    except OSError as error:
        if error.errno in UNREADABLE:
            raise
        return f"cannot be read ({os.strerror(error.errno or 0)})"
