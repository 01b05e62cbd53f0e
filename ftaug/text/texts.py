"""Labelled texts."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """A text, or a pair of two."""

    first: str
    second: str | None = None
