"""Characters that a person would not see, or that would move what stands around them, made visible."""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"
"""They belong to the spelling of Persian and to emoji."""


def visible(text: str) -> str:
    """The text with line breaks marked, and with what else has no shape as its escape sequence."""
    return "".join(c if c.isprintable() else _shape(c) for c in text)


def visible_change(text: str) -> str:
    """The same for what was added or removed: of nothing but spaces, marks for them."""
    return visible(text) if text.strip(" ") else "␣" * len(text)


def _shape(character: str) -> str:
    if character == "\n":
        return "⏎\n"
    if character in JOINERS or unicodedata.category(character) == "Zs":
        return character
    return character.encode("unicode_escape").decode()
