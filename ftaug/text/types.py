"""Raw text samples and their decoding from UTF-8."""

from __future__ import annotations

from typing import NamedTuple

from ftaug.errors import BadData

SUFFIXES = (b".txt",)
BOM = b"\xef\xbb\xbf"


class Text(NamedTuple):
    """A single text or a text pair."""

    first: str
    second: str | None = None


def decoded(content: bytes) -> str:
    """Decode UTF-8 and strip a byte order mark; raises BadData with the position of an invalid byte."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadData("the text is UTF-16; save the file as UTF-8")
    try:
        return content.removeprefix(BOM).decode()
    except UnicodeDecodeError as error:
        at = error.start + (len(BOM) if content.startswith(BOM) else 0)
        raise BadData(f"the text is not UTF-8 at byte {at + 1}; save the file as UTF-8") from None
