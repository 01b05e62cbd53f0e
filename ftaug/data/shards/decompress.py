"""Decompress archives into tar archives, which can be read at offsets: for `ftaug pack`."""

from __future__ import annotations

import bz2
import gzip
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from ftaug.data.shards.tar_writer import TarWriter
from ftaug.data.shards.zip_directory import zip_members
from ftaug.errors import BadData, first_line

SUFFIXES = (".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst")
"""Of compressed tar archives."""

OPENERS: dict[bytes, Callable[[Path], Any]] = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ": lzma.open}
"""How to decompress a file, by its first bytes."""

_CHUNK = 1 << 20


def is_compressed(path: Path) -> bool:
    """Whether an archive can be decompressed, and has to be; raises BadData for a damaged zip archive."""
    start = _first_bytes(path)
    if start.startswith(b"PK"):
        return any(member.is_compressed for member in zip_members(path))
    return start.startswith(tuple(OPENERS))


def decompress(path: Path, target: Path) -> None:
    """Write the content of a compressed archive to a tar archive, in one pass; raises BadData.

    The tar archive appears under its name when it is complete.
    """
    try:
        start = _first_bytes(path)
        if start.startswith(b"PK"):
            _copy_members(path, target)
        else:
            _copy_stream(next(opener for each, opener in OPENERS.items() if start.startswith(each)), path, target)
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadData(f"{path}: is damaged, truncated or compressed in another way: {first_line(error)}") from None


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _copy_stream(opener: Callable[[Path], Any], path: Path, target: Path) -> None:
    partial = target.with_name(f".tmp-{target.name}")
    with opener(path) as source, partial.open("wb") as copy:
        shutil.copyfileobj(source, copy, _CHUNK)
    partial.replace(target)


def _copy_members(path: Path, target: Path) -> None:
    """Copy the files of a zip archive, in the order of its directory."""
    archive = TarWriter(target)
    try:
        with zipfile.ZipFile(path) as source:
            files = (info for info in source.infolist() if not info.is_dir())
            for member, info in zip(zip_members(path), files, strict=True):
                if member.problem and not member.is_compressed:
                    raise BadData(f"{path}: {info.filename}: {member.problem}")
                with source.open(info) as content:
                    archive.add({member.name.decode(errors="surrogateescape"): _read(content, info.file_size)})
        archive.finish()
    finally:
        archive.close()


def _read(content: IO[bytes], size: int) -> bytes:
    """Read a member, but no more than its header promises."""
    data = content.read(size)
    if content.read(1):
        raise zipfile.BadZipFile("a member is longer than its header says")
    return data
