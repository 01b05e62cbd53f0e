"""Scan class folders in one pass, in a locale-independent order (bytes)."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ftaug.data.packed import Packed
from ftaug.errors import BadData, MissingInput, StorageError, printable

_SYSTEM_NAMES = {b"__macosx", b"thumbs.db", b"desktop.ini", b"$recycle.bin", b"system volume information"}
_PROGRESS_SECONDS = 10.0


@dataclass(frozen=True)
class Kind:
    """Kind of sample to scan for."""

    noun: str  # human-readable, such as "picture"
    suffixes: tuple[bytes, ...]  # file suffixes in lower case


FileId = tuple[int, int] | bytes
"""Identity of a file, shared by all its links: (device, inode), or its path."""


@dataclass(frozen=True)
class Scan:
    """Contents of a folder of class folders."""

    classes: tuple[str, ...]
    paths: Packed  # file paths relative to the folder
    targets: np.ndarray  # int64: class index of each file
    folders: Packed  # scanned folders, relative; "" is the root
    modified: np.ndarray  # int64: mtime in ns of each folder, taken before it was read
    loose: int  # number of samples outside class folders
    notes: tuple[str, ...]
    fingerprint: str
    keys: np.ndarray  # int64: file identity, equal for links to the same file


@dataclass
class _Walk:
    """State of a scan."""

    root: bytes
    kind: Kind
    outside_links: bool
    buffer: bytearray = field(default_factory=bytearray)
    ends: array[int] = field(default_factory=lambda: array("q"))
    files: array[int] = field(default_factory=lambda: array("q"))  # hashes of file ids
    folders: list[bytes] = field(default_factory=list)
    modified: list[int] = field(default_factory=list)
    seen: set[tuple[int, int]] = field(default_factory=set)
    ignored: Counter[str] = field(default_factory=Counter)
    suffixes: Counter[bytes] = field(default_factory=Counter)
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    reported: float = field(default_factory=time.monotonic)

    def absolute(self, folder: bytes) -> bytes:
        """Return the absolute path of a folder."""
        return self.root + b"/" + folder


def file_id(status: os.stat_result, path: bytes) -> FileId:
    """Return (device, inode) of a file; its path on file systems without inodes."""
    return (status.st_dev, status.st_ino) if status.st_ino else path


def scan(root: Path, kind: Kind, *, outside_links: bool = False) -> Scan:
    """Scan a folder of class folders; raises BadData, MissingInput or StorageError naming the path."""
    walk = _Walk(os.fsencode(root), kind, outside_links)
    try:
        return _scan(walk)
    except PermissionError as error:
        raise MissingInput(f"no permission to read {os.fsdecode(error.filename or root)}") from None
    except OSError as error:
        raise StorageError(f"cannot read {os.fsdecode(error.filename or root)}: {error.strerror}") from error


def _scan(walk: _Walk) -> Scan:
    loose, class_folders = _list_folder(walk, b"")
    classes, ends = [], []
    for folder in class_folders:
        before = len(walk.folders)
        _add_samples(walk, folder)
        if len(walk.folders) > before:
            classes.append(os.fsdecode(folder))
            ends.append(len(walk.ends))
    for name in classes:
        walk.digest.update(os.fsencode(name) + b"\0")
    return Scan(
        classes=tuple(classes),
        paths=Packed(bytes(walk.buffer), np.frombuffer(walk.ends, np.int64)),
        targets=np.searchsorted(np.array(ends, np.int64), np.arange(len(walk.ends)), side="right"),
        folders=Packed.of(walk.folders),
        modified=np.array(walk.modified, np.int64),
        loose=len(loose),
        notes=ignored_notes(walk.kind, walk.ignored, walk.suffixes, len(loose)),
        fingerprint=walk.digest.hexdigest(),
        keys=np.array(walk.files, np.int64),
    )


def _add_samples(walk: _Walk, folder: bytes) -> None:
    """Add the samples of a folder and, depth-first, of its subfolders, sorted by bytes."""
    pending = [folder]
    while pending:
        folder = pending.pop()
        names, folders = _list_folder(walk, folder)
        # stat relative to a directory descriptor saves resolving the full path of each file
        descriptor = os.open(walk.absolute(folder), os.O_RDONLY | os.O_DIRECTORY)
        try:
            for name in names:
                path = folder + b"/" + name
                walk.buffer += path
                walk.ends.append(len(walk.buffer))
                status = os.stat(name, dir_fd=descriptor)
                walk.files.append(hash(file_id(status, path)))
                walk.digest.update(b"%b\0%d\0" % (path, status.st_size))
        finally:
            os.close(descriptor)
        pending += reversed(folders)
        _print_progress(walk)


def _list_folder(walk: _Walk, folder: bytes) -> tuple[list[bytes], list[bytes]]:
    """List a folder: names of its samples and relative paths of its subfolders, both sorted."""
    absolute = walk.absolute(folder)
    files: list[bytes] = []
    folders: list[bytes] = []
    status = Path(os.fsdecode(absolute)).stat()
    if (status.st_dev, status.st_ino) in walk.seen:
        walk.ignored["link to a folder already read"] += 1
        return [], []
    walk.seen.add((status.st_dev, status.st_ino))
    with os.scandir(absolute) as entries:
        for entry in entries:
            _classify_entry(walk, entry, folder, files, folders)
    walk.folders.append(folder)
    walk.modified.append(status.st_mtime_ns)
    return sorted(files), sorted(folders)


def _classify_entry(
    walk: _Walk, entry: os.DirEntry[bytes], folder: bytes, files: list[bytes], folders: list[bytes]
) -> None:
    """Add a directory entry to files or folders, or count it as ignored."""
    name = entry.name
    if is_system_file(name):
        walk.ignored["file hidden or of the system"] += 1
        return
    if entry.is_symlink() and _stays_inside(walk, entry) and entry.is_dir():
        walk.ignored["link to a folder inside"] += 1
    elif entry.is_dir():
        folders.append(folder + b"/" + name if folder else name)
    elif not entry.is_file():
        raise BadData(f"{os.fsdecode(entry.path)} is {_file_type(entry)}, not a {walk.kind.noun}; remove it")
    elif name.lower().endswith(walk.kind.suffixes):
        files.append(name)
    else:
        walk.suffixes[suffix_of(name)] += 1


def is_system_file(name: bytes) -> bool:
    """Whether a file or folder is hidden or one that an operating system adds."""
    return name.startswith(b".") or name.lower() in _SYSTEM_NAMES


def _stays_inside(walk: _Walk, entry: os.DirEntry[bytes]) -> bool:
    """Whether a symbolic link stays inside the folder; raises BadData for a broken or forbidden link."""
    target = os.path.realpath(entry.path)
    shown = os.fsdecode(entry.path)
    if not os.path.lexists(target):
        raise BadData(f"{shown} is a link to {os.fsdecode(target)}, which does not exist")
    inside = os.path.commonpath([walk.root, target]) == walk.root
    if not inside and not walk.outside_links:
        raise BadData(
            f"{shown} is a link out of the folder, to {os.fsdecode(target)}; set outside_links: true to follow it"
        )
    return inside


def _file_type(entry: os.DirEntry[bytes]) -> str:
    """Name the type of a special file."""
    mode = entry.stat().st_mode
    return "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"


def suffix_of(name: bytes) -> bytes:
    """Return the suffix of a file name in lower case, such as `.jpg`; empty without one."""
    return b"." + name.lower().rpartition(b".")[2] if b"." in name else b""


def ignored_notes(kind: Kind, ignored: Mapping[str, int], suffixes: Mapping[bytes, int], loose: int) -> tuple[str, ...]:
    """Return human-readable notes on ignored files, on those of other kinds by suffix, and on loose samples."""
    notes = [f"{_counted(count, what)} ignored" for what, count in sorted(ignored.items())]
    if suffixes:
        counts = sorted(suffixes.items())
        seen = ", ".join(f"{os.fsdecode(suffix) or 'without an ending'} ({count:,})" for suffix, count in counts)
        notes.append(f"{_counted(sum(suffixes.values()), 'file')} of another kind ignored: {seen}")
    if loose:
        notes.append(f"{_counted(loose, kind.noun)} beside the class folders ignored")
    return tuple(notes)


def _counted(count: int, what: str) -> str:
    """Format a count with its noun: `1 link`, `2 links`; the first word of `what` takes the plural."""
    noun, _, rest = what.partition(" ")
    return f"{count:,} {noun}{'s' * (count != 1)}{' ' + rest if rest else ''}"


def _print_progress(walk: _Walk) -> None:
    """Print progress of a long scan every ten seconds."""
    if time.monotonic() - walk.reported >= _PROGRESS_SECONDS:
        walk.reported = time.monotonic()
        print(
            f"reading {printable(os.fsdecode(walk.root))}: {len(walk.ends):,} {walk.kind.noun}s so far",
            file=sys.stderr,
            flush=True,
        )
