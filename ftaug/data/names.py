"""Normalize and compare names of labels, groups and splits, in the same way for tables and folders."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

_INVISIBLE = "\u00ad\u200b\u200e\u200f\u2060\ufeff"
"""Zero-width characters that `str.strip` keeps: soft hyphen, zero-width space, direction marks, BOM."""

_SPLITS = {
    **{"training": "train", "valid": "val", "validation": "val", "dev": "val", "testing": "test"},
    **{name: name for name in ("train", "val", "test")},
}
_MISSING = {"", "none", "nan", "null", "<na>", "nat", "n/a", "#n/a"}


def normalized(text: str) -> str:
    """Strip white space and normalize to Unicode NFC; names are equal if the results are."""
    if text.isascii():
        return text.strip()
    previous = None
    while text != previous:
        previous, text = text, text.strip().strip(_INVISIBLE)
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=100_000)
def folded(name: str) -> str:
    """Fold a name for fuzzy comparison: ignore case, blanks, compatibility forms and a trailing `.0`."""
    plain = unicodedata.normalize("NFKC", normalized(name).translate(dict.fromkeys(map(ord, _INVISIBLE)))).casefold()
    return re.sub(r"^([+-]?\d+)\.0+$", r"\1", unicodedata.normalize("NFC", " ".join(plain.split())))


def twins(names: Iterable[str]) -> list[list[str]]:
    """Group names that `folded` maps to the same key; return groups of two or more, in order of occurrence."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[folded(name)].append(name)
    return [group for group in groups.values() if len(group) > 1]


def ordered(names: Iterable[str]) -> list[str]:
    """Sort class names: numerically if all are numbers, else by UTF-8 bytes."""
    names = list(names)
    if are_numbers(names):
        return sorted(names, key=lambda name: (Decimal(name), name))
    return sorted(names, key=lambda name: name.encode(errors="surrogateescape"))


def are_numbers(names: Iterable[str]) -> bool:
    """Whether all names are decimal numbers."""
    return all(re.fullmatch(r"[+-]?\d+(\.\d+)?", name, re.ASCII) for name in names)


def split_name(text: str) -> str:
    """Return the canonical name of a split: `train`, `val` or `test`; other names in lower case."""
    name = normalized(text).lower()
    return _SPLITS.get(name, name)


def is_split(text: str) -> bool:
    """Whether a text names a train, val or test split."""
    return normalized(text).lower() in _SPLITS


def is_missing(text: str) -> bool:
    """Whether a text denotes a missing value: empty, `None`, `nan`, `null`, `<NA>` …"""
    return normalized(text).lower() in _MISSING
