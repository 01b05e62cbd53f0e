"""Walk a folder of class folders once: which samples there are, in an order that no locale changes."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ftaug.data.packed import Packed
from ftaug.errors import BadData, MissingInput, StorageError, printable

_SYSTEM_NAMES = {b"__macosx", b"thumbs.db", b"desktop.ini", b"$recycle.bin", b"system volume information"}
_PROGRESS_SECONDS = 10.0


@dataclass(frozen=True)
class Kind:
    """What is looked for."""

    noun: str  # for people: a "picture"
    suffixes: tuple[bytes, ...]  # of its files, in lower case


FileId = tuple[int, int] | bytes
"""What names of the same file have in common."""


@dataclass(frozen=True)
class Scan:
    """What a folder of class folders holds."""

    classes: tuple[str, ...]
    paths: Packed  # relative to the folder
    targets: np.ndarray  # int64
    folders: Packed  # every folder read, relative; "" is the root
    modified: np.ndarray  # int64: their times of modification in ns, taken before they were read
    loose: int  # samples that lie beside the class folders
    notes: tuple[str, ...]
    fingerprint: str
    keys: np.ndarray  # int64: equal for links to the same file


@dataclass
class _Walk:
    """The state of one walk."""

    root: bytes
    kind: Kind
    outside_links: bool
    buffer: bytearray = field(default_factory=bytearray)
    ends: array[int] = field(default_factory=lambda: array("q"))
    files: array[int] = field(default_factory=lambda: array("q"))  # hashes of their ids
    folders: list[bytes] = field(default_factory=list)
    modified: list[int] = field(default_factory=list)
    seen: set[tuple[int, int]] = field(default_factory=set)
    ignored: Counter[str] = field(default_factory=Counter)
    suffixes: Counter[bytes] = field(default_factory=Counter)
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    reported: float = field(default_factory=time.monotonic)

    def absolute(self, folder: bytes) -> bytes:
        """The whole path of a folder."""
        return self.root + b"/" + folder


def file_id(status: os.stat_result, path: bytes) -> FileId:
    """What all links to a file share; the path where a file system numbers no files."""
    return (status.st_dev, status.st_ino) if status.st_ino else path


def scan(root: Path, kind: Kind, *, outside_links: bool = False) -> Scan:
    """Walk the folder; raises BadData, MissingInput or StorageError naming what cannot be used."""
    walk = _Walk(os.fsencode(root), kind, outside_links)
    try:
        return _scan(walk)
    except PermissionError as error:
        raise MissingInput(f"no permission to read {os.fsdecode(error.filename or root)}") from None
    except OSError as error:
        raise StorageError(f"cannot read {os.fsdecode(error.filename or root)}: {error.strerror}") from error


def _scan(walk: _Walk) -> Scan:
    loose, class_folders = _enter(walk, b"")
    classes, ends = [], []
    for folder in class_folders:
        before = len(walk.folders)
        _collect(walk, folder)
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
        notes=_notes(walk, len(loose)),
        fingerprint=walk.digest.hexdigest(),
        keys=np.array(walk.files, np.int64),
    )


def _collect(walk: _Walk, folder: bytes) -> None:
    """Add the samples of a folder, then those of its folders, each in the order of bytes."""
    pending = [folder]
    while pending:
        folder = pending.pop()
        names, folders = _enter(walk, folder)
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
        _report(walk)


def _enter(walk: _Walk, folder: bytes) -> tuple[list[bytes], list[bytes]]:
    """Read one folder: the names of its samples and the relative paths of its folders, both sorted."""
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
            _sort_in(walk, entry, folder, files, folders)
    walk.folders.append(folder)
    walk.modified.append(status.st_mtime_ns)
    return sorted(files), sorted(folders)


def _sort_in(walk: _Walk, entry: os.DirEntry[bytes], folder: bytes, files: list[bytes], folders: list[bytes]) -> None:
    """Put one entry of a folder where it belongs, or count it as ignored."""
    name = entry.name
    if name.startswith(b".") or name.lower() in _SYSTEM_NAMES:
        walk.ignored["file hidden or of the system"] += 1
        return
    if entry.is_symlink() and _leads_inside(walk, entry) and entry.is_dir():
        walk.ignored["link to a folder inside"] += 1
    elif entry.is_dir():
        folders.append(folder + b"/" + name if folder else name)
    elif not entry.is_file():
        raise BadData(f"{os.fsdecode(entry.path)} is {_kind(entry)}, not a {walk.kind.noun}; remove it")
    elif name.lower().endswith(walk.kind.suffixes):
        files.append(name)
    else:
        walk.suffixes[b"." + name.lower().rpartition(b".")[2] if b"." in name else b""] += 1


def _leads_inside(walk: _Walk, entry: os.DirEntry[bytes]) -> bool:
    """Whether a symbolic link stays in the folder; refuses one that leads nowhere, or out when that is not allowed."""
    target = os.path.realpath(entry.path)
    shown = os.fsdecode(entry.path)
    if not os.path.lexists(target):
        raise BadData(f"{shown} is a link to {os.fsdecode(target)}, which is not there")
    inside = os.path.commonpath([walk.root, target]) == walk.root
    if not inside and not walk.outside_links:
        raise BadData(
            f"{shown} is a link out of the folder, to {os.fsdecode(target)}; set outside_links: true to follow it"
        )
    return inside


def _kind(entry: os.DirEntry[bytes]) -> str:
    """What an entry that is neither file nor folder is called."""
    mode = entry.stat().st_mode
    return "a pipe" if stat.S_ISFIFO(mode) else "a socket" if stat.S_ISSOCK(mode) else "a device"


def _notes(walk: _Walk, loose: int) -> tuple[str, ...]:
    """What was left out, in words."""
    notes = [f"{_counted(count, what)} ignored" for what, count in sorted(walk.ignored.items())]
    if walk.suffixes:
        counts = sorted(walk.suffixes.items())
        seen = ", ".join(f"{os.fsdecode(suffix) or 'without an ending'} ({count:,})" for suffix, count in counts)
        notes.append(f"{_counted(sum(walk.suffixes.values()), 'file')} of another kind ignored: {seen}")
    if loose:
        notes.append(f"{_counted(loose, walk.kind.noun)} beside the class folders ignored")
    return tuple(notes)


def _counted(count: int, what: str) -> str:
    """`1 link`, `2 links`: the first word of `what` takes the plural."""
    noun, _, rest = what.partition(" ")
    return f"{count:,} {noun}{'s' * (count != 1)}{' ' + rest if rest else ''}"


def _report(walk: _Walk) -> None:
    """Say every ten seconds how far a long walk is."""
    if time.monotonic() - walk.reported >= _PROGRESS_SECONDS:
        walk.reported = time.monotonic()
        print(
            f"reading {printable(os.fsdecode(walk.root))}: {len(walk.ends):,} {walk.kind.noun}s so far",
            file=sys.stderr,
            flush=True,
        )
