"""Scan tar and zip archives for samples and the files with their labels, without a Python object for each."""

from __future__ import annotations

import os
import sys
import time
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from ftaug.data.folders.scan import Kind, ignored_notes, suffix_of
from ftaug.data.packed import Packed
from ftaug.data.shards.decompress import OPENERS
from ftaug.data.shards.decompress import SUFFIXES as COMPRESSED_SUFFIXES
from ftaug.data.shards.extents import Extents, Shard
from ftaug.data.shards.members import Member, is_ignored, relative_name
from ftaug.data.shards.tar_headers import tar_members
from ftaug.data.shards.zip_directory import zip_members
from ftaug.errors import BadData, FtaugError, Problem, combined, printable

SUFFIXES = (".tar", ".zip", *COMPRESSED_SUFFIXES)
LabelSource = Literal["cls", "json", "folder"]

_COMPRESSED = {
    b"\x1f\x8b": ("gzip", "gunzip"),
    b"BZh": ("bzip2", "bunzip2"),
    b"\xfd7zXZ": ("xz", "unxz"),
    b"\x28\xb5\x2f\xfd": ("Zstandard", "unzstd"),
}
_LOOKED_AT = 1000  # members from which the source of the labels is inferred
_SHOWN = 5
_PROGRESS_SECONDS = 10.0


@dataclass(frozen=True)
class Archives:
    """Samples in archives, and where their labels are."""

    names: Packed  # of the samples, relative to the root
    extents: Extents
    label_source: LabelSource
    label_offsets: np.ndarray  # int64 (n,); none if the labels are folders
    label_sizes: np.ndarray  # int32 (n,)
    notes: tuple[str, ...]


@dataclass
class _Scan:
    """State of a scan."""

    kind: Kind
    root: bytes  # the folder that is read, with a slash; empty for all
    label_source: LabelSource
    buffer: bytearray = field(default_factory=bytearray)
    ends: array[int] = field(default_factory=lambda: array("q"))
    shard_of: array[int] = field(default_factory=lambda: array("i"))
    offsets: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("q"))
    label_offsets: array[int] = field(default_factory=lambda: array("q"))
    label_sizes: array[int] = field(default_factory=lambda: array("i"))
    hashes: array[int] = field(default_factory=lambda: array("q"))  # of what must be unique
    unlabeled: dict[bytes, int] = field(default_factory=dict)  # samples of this shard whose label has not come yet
    unused: dict[bytes, tuple[int, int]] = field(default_factory=dict)  # labels whose sample has not come yet
    ignored: Counter[str] = field(default_factory=Counter)
    suffixes: Counter[bytes] = field(default_factory=Counter)
    loose: int = 0
    reported: float = field(default_factory=time.monotonic)

    def add(self, shard: int, member: Member) -> None:
        """Add a member of a shard; raises BadData."""
        name = relative_name(member.name)
        if not name.startswith(self.root):
            self.ignored[f"file outside {os.fsdecode(self.root)}"] += 1
            return
        name = name[len(self.root) :]
        if is_ignored(name, self.ignored):
            return
        is_sample = name.lower().endswith(self.kind.suffixes)
        is_label = not is_sample and name.endswith(f".{self.label_source}".encode())
        if not is_sample and not is_label:
            self.suffixes[suffix_of(name)] += 1
        elif is_sample and self.label_source == "folder" and b"/" not in name:
            self.loose += 1
        elif member.problem:
            more = "" if member.is_compressed else "; or unpack it and run ftaug pack on the files"
            raise BadData(f"{member.problem}{more}")
        elif is_sample:
            self._add_sample(shard, name, member)
        else:
            self._add_label(name, member)

    def _add_sample(self, shard: int, name: bytes, member: Member) -> None:
        position = len(self.ends)
        self.buffer += name
        self.ends.append(len(self.buffer))
        self.shard_of.append(shard)
        self.offsets.append(member.offset)
        self.sizes.append(member.size)
        if self.label_source == "folder":
            self.hashes.append(hash(name))
            return
        stem = name.rpartition(b".")[0]
        self.hashes.append(hash((shard, stem)))
        offset, size = self.unused.pop(stem, (-1, 0))
        self.label_offsets.append(offset)
        self.label_sizes.append(size)
        if offset < 0:
            self.unlabeled[stem] = position

    def _add_label(self, name: bytes, member: Member) -> None:
        stem = name.rpartition(b".")[0]
        if stem in self.unused:
            raise BadData("there are two members of this name")
        position = self.unlabeled.pop(stem, None)
        if position is None:
            self.unused[stem] = member.offset, member.size
        else:
            self.label_offsets[position], self.label_sizes[position] = member.offset, member.size

    def end_shard(self, path: Path) -> None:
        """Raise BadData for samples of the shard without a label, and labels without a sample."""
        suffix = f".{self.label_source}"
        names = [os.fsdecode(stem) for stem in self.unlabeled]
        problems = [f"{path}: {name} is a {self.kind.noun} without {name}{suffix}" for name in names]
        names = [os.fsdecode(stem) for stem in self.unused]
        problems += [f"{path}: {name}{suffix} has no {self.kind.noun}" for name in names]
        if problems:
            more = len(problems) - _SHOWN
            raise BadData(*problems[:_SHOWN], *([f"{path}: {more:,} more members like these"] if more > 0 else []))

    def print_progress(self, path: Path) -> None:
        """Print progress of a long scan every ten seconds."""
        if time.monotonic() - self.reported >= _PROGRESS_SECONDS:
            self.reported = time.monotonic()
            print(
                f"reading {printable(str(path))}: {len(self.ends):,} {self.kind.noun}s so far",
                file=sys.stderr,
                flush=True,
            )


def scan_archives(files: Sequence[Path], kind: Kind, root: str, label_source: LabelSource | None) -> Archives:
    """Scan archives for samples of a kind in a folder `root` of them; raises BadData and MissingInput.

    Samples with their class in the path are in the order of class folders, others in that of the archives.
    """
    shards = tuple(map(Shard.of, files))
    folder = os.fsencode(root.strip("/") + "/") if root.strip("/") else b""
    scan = _Scan(kind, folder, label_source or _infer_label_source(files[0]))
    errors: list[FtaugError] = []
    for number, path in enumerate(files):
        try:
            for count, member in enumerate(members(path)):
                try:
                    scan.add(number, member)
                except BadData as error:
                    raise BadData(f"{os.fsdecode(member.name)}: {error}") from None
                if count % 10_000 == 0:
                    scan.print_progress(path)
            scan.end_shard(path)
        except BadData as error:
            errors.append(BadData(*(_located(path, problem) for problem in error.problems)))
            if len(errors) == _SHOWN:
                break
            scan.unlabeled, scan.unused = {}, {}
    if errors:
        raise combined(errors)
    return _in_order(scan, shards)


def _located(path: Path, problem: Problem) -> Problem:
    located = problem.message.startswith(f"{path}: ")
    return problem if located else Problem(f"{path}: {problem.message}")


def members(path: Path) -> Iterator[Member]:
    """Yield the members of an archive; its content says what it is. Raises BadData for a compressed one."""
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"PK"):
        return zip_members(path)
    for signature, (name, program) in _COMPRESSED.items():
        if start.startswith(signature):
            raise BadData(
                f"is compressed with {name}, and cannot be read at offsets: "
                + ("" if signature not in OPENERS else "write it anew with ftaug pack, which reads it, or ")
                + f"decompress it ({program})"
            )
    return tar_members(path)


def _infer_label_source(path: Path) -> LabelSource:
    """Infer from the first members of an archive where labels are: .cls files, .json files, or folders."""
    try:
        suffixes = {suffix_of(member.name) for member in islice(members(path), _LOOKED_AT)}
    except BadData:
        return "folder"  # the scan reports it
    return "cls" if b".cls" in suffixes else "json" if b".json" in suffixes else "folder"


def _in_order(scan: _Scan, shards: tuple[Shard, ...]) -> Archives:
    names = Packed(bytes(scan.buffer), np.frombuffer(scan.ends, np.int64))
    scan.buffer = bytearray()
    _check_unique(scan, names, shards)
    scan.hashes = array("q")
    shard_of, offsets, sizes = (np.asarray(values) for values in (scan.shard_of, scan.offsets, scan.sizes))
    if scan.label_source == "folder" and (order := _folder_order(names)) is not None:
        names = Packed.of(names[position] for position in order.tolist())
        shard_of, offsets, sizes = shard_of[order], offsets[order], sizes[order]
    return Archives(
        names,
        Extents(shards, shard_of.astype(np.int32, copy=False), offsets, sizes),
        scan.label_source,
        np.asarray(scan.label_offsets),
        np.asarray(scan.label_sizes),
        ignored_notes(scan.kind, scan.ignored, scan.suffixes, scan.loose),
    )


def _check_unique(scan: _Scan, names: Packed, shards: Sequence[Shard]) -> None:
    """Raise BadData if two samples have the same name; with labels in files, only within a shard."""
    hashes = np.asarray(scan.hashes)
    order = np.argsort(hashes, kind="stable")
    repeated = order[1:][np.diff(hashes[order]) == 0]
    if not len(repeated):
        return
    position = int(repeated.min())
    first = int(np.flatnonzero(hashes == hashes[position])[0])
    places = [f"{shards[scan.shard_of[i]].path} ({os.fsdecode(names[i])})" for i in (first, position)]
    more = f"; there are {len(repeated):,} such {scan.kind.noun}s" if len(repeated) > 1 else ""
    raise BadData(f"{places[0]} has the same name as {places[1]}{more}")


def _folder_order(names: Packed) -> np.ndarray | None:
    """Return the order of a scan of folders: files before subfolders, by bytes; None if they are in it already."""
    longest, previous, is_sorted = 0, b"", True
    for position in range(len(names)):
        key = _folder_key(names[position])
        longest = max(longest, len(key))
        is_sorted = is_sorted and previous < key
        previous = key
    if is_sorted:
        return None
    keys = (_folder_key(names[i]) for i in range(len(names)))
    return np.argsort(np.fromiter(keys, f"S{longest}", len(names)), kind="stable")


def _folder_key(name: bytes) -> bytes:
    folder, _, file = name.rpartition(b"/")
    return b"\1" + folder.replace(b"/", b"\0\1") + b"\0\0" + file
