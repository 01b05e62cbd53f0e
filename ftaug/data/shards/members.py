"""Members of an archive: where their content is, and which names are refused or ignored."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from ftaug.data.folders.scan import is_system_file
from ftaug.errors import BadData


class Member(NamedTuple):
    """A file in an archive."""

    name: bytes
    offset: int  # of its content in the archive
    size: int
    problem: str = ""  # why its content cannot be read at the offset, such as "is a link"
    is_compressed: bool = False


def relative_name(name: bytes) -> bytes:
    """Return a member's path without a leading `./`; raises BadData for one that leads out of the archive's folder."""
    if b"/" not in name and name != b"..":
        return name
    parts = [part for part in name.split(b"/") if part not in (b"", b".")]
    if b".." in parts or name.startswith(b"/"):
        raise BadData("its path leads out of the folder that the archive holds; write the archive with relative paths")
    return b"/".join(parts)


def is_ignored(name: bytes, ignored: Counter[str]) -> bool:
    """Whether a member is a hidden file or one of the system; count it if so."""
    if any(is_system_file(part) for part in name.split(b"/")):
        ignored["file hidden or of the system"] += 1
        return True
    return False
