"""When two names of labels, groups or splits are equal: one rule for every reader of tables and folders."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

_INVISIBLE = "\u00ad\u200b\u200e\u200f\u2060\ufeff"
"""Characters that take no room and that `str.strip` keeps: soft hyphen, zero-width space, direction marks, BOM."""

_SPLITS = {
    **{"training": "train", "valid": "val", "validation": "val", "dev": "val", "testing": "test"},
    **{name: name for name in ("train", "val", "test")},
}
_MISSING = {"", "none", "nan", "null", "<na>", "nat", "n/a", "#n/a"}


def normalized(text: str) -> str:
    """The text without white space at its ends, in Unicode form NFC: names are equal if this is."""
    if text.isascii():
        return text.strip()
    previous = None
    while text != previous:
        previous, text = text, text.strip().strip(_INVISIBLE)
    return unicodedata.normalize("NFC", text)


@lru_cache(maxsize=100_000)
def folded(name: str) -> str:
    """What names have in common that differ only in case, blanks, compatibility forms or a trailing `.0`."""
    plain = unicodedata.normalize("NFKC", normalized(name).translate(dict.fromkeys(map(ord, _INVISIBLE)))).casefold()
    return re.sub(r"^([+-]?\d+)\.0+$", r"\1", unicodedata.normalize("NFC", " ".join(plain.split())))


def twins(names: Iterable[str]) -> list[list[str]]:
    """The groups of different names that `folded` makes one, in the order in which they come."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[folded(name)].append(name)
    return [group for group in groups.values() if len(group) > 1]


def ordered(names: Iterable[str]) -> list[str]:
    """The names in the order of classes: numbers by their value, anything else by its bytes."""
    names = list(names)
    if are_numbers(names):
        return sorted(names, key=lambda name: (Decimal(name), name))
    return sorted(names, key=lambda name: name.encode(errors="surrogateescape"))


def are_numbers(names: Iterable[str]) -> bool:
    """Whether all names are decimal numbers."""
    return all(re.fullmatch(r"[+-]?\d+(\.\d+)?", name, re.ASCII) for name in names)


def split_name(text: str) -> str:
    """The name of a split as ftaug writes it: `train`, `val` or `test`; another name as it is, in lower case."""
    name = normalized(text).lower()
    return _SPLITS.get(name, name)


def is_split(text: str) -> bool:
    """Whether a text is a name of train, val or test."""
    return normalized(text).lower() in _SPLITS


def is_missing(text: str) -> bool:
    """Whether a text is how programs write a value that is not there: nothing, `None`, `nan`, `null`, `<NA>` …"""
    return normalized(text).lower() in _MISSING
