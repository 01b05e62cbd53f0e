"""Read the directory of a zip archive: where the content of each member is.

Python's zipfile keeps an object for every member, half a gigabyte for a million.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ftaug.data.shards.members import Member
from ftaug.errors import BadData

_END = struct.Struct("<4s4H2LH")  # end of the directory
_LOCATOR, _END_64 = struct.Struct("<4sLQL"), struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s4B4HL2L5H2L")
_LOCAL = struct.Struct("<4s2B4HL2L2H")
_LONGEST_COMMENT = 1 << 16
_MAX_32 = 0xFFFFFFFF
_COMPRESSED = "is compressed: write it anew with ftaug pack, which reads compressed archives, or with zip -0"
_STORED, _UNIX, _LINK, _FORMAT_BITS = 0, 3, 0o120000, 0o170000


def zip_members(path: Path) -> Iterator[Member]:
    """Yield the files of a zip archive in the order of its directory; raises BadData for a damaged or truncated one."""
    with path.open("rb") as file:
        count, start, end = _directory(file)
        file.seek(start)
        for _ in range(count):
            fields = _unpack(_ENTRY, file.read(_ENTRY.size), b"PK\1\2", file.tell())
            name_length, extra_length, comment_length = fields[12:15]
            name, extra = file.read(name_length), file.read(extra_length)
            file.seek(comment_length, os.SEEK_CUR)
            if name.endswith(b"/"):
                continue
            stored, size, header = _sizes(fields, extra)
            if header + stored > end:
                raise BadData(f"damaged: a member at byte {header:,} does not end before the directory")
            problem = _problem(fields)
            offset = 0 if problem else _content_offset(file, header)
            yield Member(_in_utf8(name, fields[5]), offset, size, problem, problem == _COMPRESSED)


def _directory(file: IO[bytes]) -> tuple[int, int, int]:
    """Return the number of members, and the first and last byte of the directory."""
    size = os.fstat(file.fileno()).st_size
    tail_at = max(0, size - _LONGEST_COMMENT - _END.size)
    tail = os.pread(file.fileno(), size - tail_at, tail_at)
    place = tail.rfind(b"PK\5\6")
    if place < 0 or len(tail) - place < _END.size:
        raise BadData("not a zip archive, or truncated: the directory at its end is missing")
    _, disk, _, _, count, length, start, _ = _END.unpack_from(tail, place)
    end = tail_at + place
    locator = os.pread(file.fileno(), _LOCATOR.size, max(0, end - _LOCATOR.size))
    if locator[:4] == b"PK\6\7":  # of a large archive
        end = _LOCATOR.unpack(locator)[2]
        fields = _unpack(_END_64, os.pread(file.fileno(), _END_64.size, end), b"PK\6\6", end)
        disk, count, length, start = fields[4], *fields[7:10]
    if disk or start + length > end:
        raise BadData("damaged, or a part of an archive in several files")
    return count, start, end


def _sizes(fields: tuple[int, ...], extra: bytes) -> tuple[int, int, int]:
    """Return the stored size, the size, and the offset of the local header; large ones are in the extra field."""
    values = {"size": fields[11], "stored": fields[10], "header": fields[18]}
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        if kind == 1:
            large = [key for key, value in values.items() if value == _MAX_32]
            numbers = [number for (number,) in struct.iter_unpack("<Q", extra[4 : 4 + length // 8 * 8])]
            values.update(zip(large, numbers, strict=False))
        extra = extra[4 + length :]
    return values["stored"], values["size"], values["header"]


def _problem(fields: tuple[int, ...]) -> str:
    system, flags, method, attributes = fields[2], fields[5], fields[6], fields[17]
    if flags & 1:
        return "is encrypted"
    if system == _UNIX and (attributes >> 16) & _FORMAT_BITS == _LINK:
        return "is a link"
    return "" if method == _STORED else _COMPRESSED


def _content_offset(file: IO[bytes], header: int) -> int:
    fields = _unpack(_LOCAL, os.pread(file.fileno(), _LOCAL.size, header), b"PK\3\4", header)
    return int(header + _LOCAL.size + fields[-2] + fields[-1])


def _in_utf8(name: bytes, flags: int) -> bytes:
    """Return a name in UTF-8; without the flag for it, it is in code page 437 if it is not UTF-8."""
    try:
        name.decode()
    except UnicodeDecodeError:
        return name if flags & 0x800 else name.decode("cp437").encode()
    return name


def _unpack(layout: struct.Struct, content: bytes, signature: bytes, at: int) -> tuple[int, ...]:
    if len(content) < layout.size or not content.startswith(signature):
        raise BadData(f"damaged at byte {at:,}: a header cannot be read")
    return layout.unpack(content)
