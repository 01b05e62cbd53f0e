"""File systems that lack what others have, simulated in this process for what lies below a folder."""

import errno
import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

KINDS = ("no locks", "no links", "renames copy", "renames fail across devices", "renames are denied")
"""Renames that fail do so at every odd call."""


def install(kind: str, root: str) -> None:
    """Replace the operations of a kind, for good."""
    if kind == "no locks":
        fcntl.flock = _failing(fcntl.flock, errno.ENOLCK, lambda *arguments: True)
        return
    if kind == "no links":
        os.symlink = _failing(os.symlink, errno.EPERM, lambda source, target, *rest, **options: _is_below(target, root))
        return
    rename, count = os.rename, 0

    def renamed(source: Any, target: Any, **options: Any) -> None:
        nonlocal count
        if options or not _is_below(target, root):
            return rename(source, target, **options)
        count += 1
        if kind == "renames copy":
            return _copy(source, target)
        if count % 2:
            number = errno.EXDEV if kind == "renames fail across devices" else errno.EPERM
            raise OSError(number, os.strerror(number), str(source), None, str(target))
        return rename(source, target)

    os.rename = os.replace = renamed  # type: ignore[assignment]


def _is_below(path: Any, root: str) -> bool:
    return str(Path(os.fsdecode(path)).absolute()).startswith(root)


def _failing(real: Callable[..., Any], number: int, concerns: Callable[..., bool]) -> Callable[..., Any]:
    def fail(*arguments: Any, **options: Any) -> Any:
        if concerns(*arguments, **options):
            raise OSError(number, os.strerror(number))
        return real(*arguments, **options)

    return fail


def _copy(source: Any, target: Any) -> None:
    """Copy and delete, as some network file systems do; a reader may see half of it."""
    old, new = Path(os.fsdecode(source)), Path(os.fsdecode(target))
    if old.is_dir() and not old.is_symlink():
        shutil.copytree(old, new, symlinks=True)
        shutil.rmtree(old)
        return
    new.unlink(missing_ok=True)
    shutil.copy2(old, new, follow_symlinks=False)
    old.unlink()
