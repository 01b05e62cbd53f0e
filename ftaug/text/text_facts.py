"""Facts about a text by which results are broken down: length and script."""

from __future__ import annotations

import unicodedata
from collections import Counter

from ftaug.text.types import Text

EXAMINED = 1000
"""Number of characters from which the script is taken."""


def text_facts(text: Text) -> dict[str, float | str]:
    """Return the length in characters, of a pair of both texts, and the script of most letters."""
    joined = "".join(part for part in text if part is not None)
    return {"length": float(len(joined)), "script": script_of(joined[:EXAMINED])}


def script_of(text: str) -> str:
    """Return the script of most letters, such as `latin`, as the Unicode names of the letters begin; `none` if none."""
    names = (unicodedata.name(character, "").partition(" ")[0] for character in text if character.isalpha())
    scripts = Counter(name.lower() for name in names if name)
    return max(sorted(scripts), key=scripts.__getitem__) if scripts else "none"
