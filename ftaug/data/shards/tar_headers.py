"""Read the headers of a tar archive: where the content of each member is.

Python's tarfile keeps an object for every member and takes about ten times as long.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ftaug.data.shards.members import Member
from ftaug.errors import BadData

BLOCK = 512
_ZEROS = bytes(BLOCK)
_LONGEST_HEADER = 1 << 20  # bytes of a long name or of extended attributes
_BUFFER = 1 << 13

_FILES, _FOLDER, _SPARSE = (b"0", b"\0", b"7"), b"5", b"S"
_WITHOUT_CONTENT = (b"1", b"2", b"3", b"4", b"5", b"6")
_LONG_NAME, _ATTRIBUTES = b"L", b"x"
_EXTENDED = (_LONG_NAME, _ATTRIBUTES, b"K", b"g")
_LINK = "is a link: write the archive with tar --dereference --hard-dereference"
_SPARSE_FILE = "is sparse: write the archive without --sparse"
_PROBLEMS = {
    b"1": _LINK,
    b"2": _LINK,
    _SPARSE: _SPARSE_FILE,
    b"3": "is a device",
    b"4": "is a device",
    b"6": "is a pipe",
}


def tar_members(path: Path) -> Iterator[Member]:
    """Yield the files of a tar archive in their order; raises BadData for a damaged or truncated one."""
    with path.open("rb", buffering=_BUFFER) as file:
        end = os.fstat(file.fileno()).st_size
        at, name, attributes = 0, b"", dict[bytes, bytes]()
        while (header := _header(file, at)) is not None:
            kind, offset = header[156:157], at + BLOCK
            size = _number(header[124:136], at)
            if kind in _FILES and b"size" in attributes:
                size = int(attributes[b"size"])
            stored = 0 if kind in _WITHOUT_CONTENT else size
            at = offset + -(-stored // BLOCK) * BLOCK
            if offset + stored > end:
                raise BadData(f"truncated: it ends within a member, at byte {end:,}")
            if kind in _EXTENDED:
                content = _content(file, offset, size)
                if kind == _LONG_NAME:
                    name = content.rstrip(b"\0")
                elif kind == _ATTRIBUTES:
                    attributes = _records(content, offset)
                continue
            name = attributes.get(b"path") or name or _name(header)
            if kind != _FOLDER and not name.endswith(b"/"):
                yield Member(name, offset, size, _problem(kind, attributes))
            name, attributes = b"", {}
        _check_end(file, at, end)


def _header(file: IO[bytes], at: int) -> bytes | None:
    """Read a header; None at the end of the archive."""
    file.seek(at)
    header = file.read(BLOCK)
    if header == _ZEROS:
        return None
    if len(header) < BLOCK:
        raise BadData(f"truncated: it ends at byte {at + len(header):,} without the mark of an archive's end")
    if _number(header[148:156], at) != sum(header) - sum(header[148:156]) + 256:
        raise BadData(f"not a tar archive, or damaged at byte {at:,}: the checksum is wrong")
    return header


def _check_end(file: IO[bytes], at: int, end: int) -> None:
    """Raise BadData if another archive follows."""
    file.seek(at)
    while rest := file.read(1 << 16):
        if rest.count(0) != len(rest):
            raise BadData(
                f"there is data behind the archive's end at byte {at:,}: join archives with tar --concatenate"
            )


def _number(digits: bytes, at: int) -> int:
    """Parse a number: octal, or binary if its first bit is set."""
    if digits[0] & 0x80:
        return int.from_bytes(bytes([digits[0] & 0x7F]) + digits[1:], "big")
    try:
        return int(digits.strip(b" \0") or b"0", 8)
    except ValueError:
        raise BadData(f"not a tar archive, or damaged at byte {at:,}") from None


def _name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _content(file: IO[bytes], offset: int, size: int) -> bytes:
    if size > _LONGEST_HEADER:
        raise BadData(f"damaged at byte {offset:,}: an extended header of {size:,} bytes")
    file.seek(offset)
    return file.read(size)


def _records(content: bytes, offset: int) -> dict[bytes, bytes]:
    """Parse extended attributes: lines of `length key=value`."""
    records = {}
    while content.rstrip(b"\0"):
        length, _, rest = content.partition(b" ")
        if not length.isdigit() or not len(length) + 1 < int(length) <= len(content):
            raise BadData(f"damaged at byte {offset:,}: an extended header cannot be read")
        key, _, value = rest[: int(length) - len(length) - 2].partition(b"=")
        records[key] = value
        content = content[int(length) :]
    if not records.get(b"size", b"0").isdigit():
        raise BadData(f"damaged at byte {offset:,}: an extended header cannot be read")
    return records


def _problem(kind: bytes, attributes: dict[bytes, bytes]) -> str:
    if any(key.startswith(b"GNU.sparse.") for key in attributes):
        return _SPARSE_FILE
    return "" if kind in _FILES else _PROBLEMS.get(kind, "is of an unknown type")
