"""Atomic and durable file writes: a crash leaves the old content or the new, never a part."""

from __future__ import annotations

import errno
import glob
import hashlib
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ftaug.errors import DISK_IS_FULL, FtaugError, RunFolderTaken, StorageError, disk_advice, os_error_of

CHUNK = 1 << 22

NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def storage_errors(action: str) -> Iterator[None]:
    """Context manager that turns an OSError, or a library's error around one, into an error with the failed action.

    Raises RunFolderTaken if writing is not allowed, else StorageError.
    """
    try:
        yield
    except FtaugError:
        raise
    except Exception as error:
        os_error = os_error_of(error)
        number = os_error.errno if os_error else None
        if not isinstance(error, OSError) and number not in (*DISK_IS_FULL, *NOT_WRITABLE, errno.EIO):
            raise
        text = f"{action}: {os_error.strerror if os_error else error}; what was saved before is intact"
        if number in NOT_WRITABLE:
            raise RunFolderTaken(f"{text}: make the folder writable and run the same command again") from error
        raise StorageError(f"{text}: {disk_advice(number)}") from error


def write_durable(path: Path, data: bytes | memoryview) -> None:
    """Write a new file and fsync it."""
    with path.open("xb", buffering=0) as file:
        write_all(file.fileno(), data)
        os.fsync(file.fileno())


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all data to a file descriptor, in as many calls as it takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest[:CHUNK]) :]


def temporary_name(path: Path) -> Path:
    """Return the name of this process's temporary file for a path; remove those that killed processes left.

    A write takes seconds, so nobody is writing a temporary file of an hour ago, on whatever machine that began.
    """
    for leftover in path.parent.glob(f".tmp-{glob.escape(path.name)}-*"):
        with suppress(OSError):
            if leftover.lstat().st_mtime < time.time() - 3600:
                leftover.unlink()
    temporary = path.with_name(f".tmp-{path.name}-{os.getpid()}")
    temporary.unlink(missing_ok=True)
    return temporary


def replace(path: Path, data: bytes | memoryview) -> None:
    """Replace the content of a file atomically and durably, by a temporary file and a rename."""
    temporary = temporary_name(path)
    try:
        write_durable(temporary, data)
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise
    sync_folder(path.parent)


def replace_link(link: Path, target: Path) -> None:
    """Replace a symbolic link atomically; the target is relative to the link's folder."""
    temporary = temporary_name(link)
    temporary.symlink_to(target)
    temporary.replace(link)
    sync_folder(link.parent)


def require_links(folder: Path) -> None:
    """Raise RunFolderTaken if the file system has no symbolic links, as exFAT and some network shares."""
    probe = folder / f".tmp-link-{os.getpid()}"
    try:
        probe.symlink_to("target")
        probe.unlink()
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            text = "the file system has no symbolic links, which a run folder needs"
            raise RunFolderTaken(f"{folder}: {text}; choose another --run-dir") from error
        raise


def open_inside(path: Path, flags: int) -> int:
    """Open or create a regular file in a folder that ftaug writes; raises RunFolderTaken for links.

    Writing to a symbolic or hard link would change a file outside of the folder.
    """
    try:
        descriptor = os.open(
            path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644
        )  # O_NONBLOCK: opening a pipe must not block
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise _not_plain(path, "file") from None
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(descriptor)
        raise _not_plain(path, "file")
    return descriptor


def make_inside(path: Path) -> Path:
    """Create a subfolder of a folder that ftaug writes, if it is missing; raises RunFolderTaken for a link or file."""
    with suppress(FileExistsError):
        path.mkdir()
    if path.is_symlink() or not path.is_dir():
        raise _not_plain(path, "folder")
    return path


def make_durable(path: Path) -> None:
    """Create a folder and its parents where they are missing; durable, as a file in a folder that is lost is too."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        sync_folder(folder.parent)


def remove(path: Path) -> None:
    """Delete a file, a folder or a link, but never the target of a link."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)


def _not_plain(path: Path, expected: str) -> RunFolderTaken:
    """Build the error for a path that is not a plain file or folder."""
    return RunFolderTaken(
        f"{path}: is not a regular {expected} but a link or the like, which ftaug does not follow; delete it, or "
        f"choose another folder"
    )


def sync_folder(folder: Path) -> None:
    """Fsync a folder, so that created and renamed entries are durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot sync a folder
            raise
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Fsync a folder with all files and folders in it."""
    for path in (*folder.rglob("*"), folder):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _without_waiting(path: str, flags: int) -> int:
    """Open a file, or a pipe of that name without waiting for its writer."""
    return os.open(path, flags | os.O_NONBLOCK)


def sha256(path: Path) -> str:
    """Compute the SHA-256 hex digest of a file."""
    with open(path, "rb", opener=_without_waiting) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
