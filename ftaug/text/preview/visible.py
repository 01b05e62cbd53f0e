"""Make invisible characters and bidirectional control characters visible."""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"
"""Zero-width joiners, part of Persian spelling and of emoji."""


def visible(text: str) -> str:
    """Mark line breaks, and escape other non-printable characters."""
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def visible_change(text: str) -> str:
    """Make added or removed text visible: as `visible`, and text of only spaces as `␣`."""
    return visible(text) if text.strip(" ") else "␣" * len(text)


def _escaped(character: str) -> str:
    if character == "\n":
        return "⏎\n"
    if character in JOINERS or unicodedata.category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode()
