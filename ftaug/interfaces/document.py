"""The content of a report, whatever format it is written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    text: str


@dataclass(frozen=True)
class Code:
    """Commands or a file, shown verbatim."""

    text: str


@dataclass(frozen=True)
class DataTable:
    """A table of formatted cells; the first column names the row."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""


@dataclass(frozen=True)
class Picture:
    """An encoded image with the text that replaces it for screen readers."""

    content: bytes
    media_type: str
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class HighlightedText:
    """A text in spans, each with a weight from -1 (lowers the output) to 1 (raises it)."""

    spans: Sequence[tuple[str, float]]
    caption: str = ""


@dataclass(frozen=True)
class Gallery:
    """Pictures and texts side by side."""

    items: Sequence[Picture | HighlightedText]
    caption: str = ""


Block = Paragraph | Code | DataTable | Picture | HighlightedText | Gallery


@dataclass(frozen=True)
class Section:
    """A heading, what is below it, and the same as JSON values under a key."""

    key: str
    title: str
    blocks: Sequence[Block]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Alert:
    """Something that puts the result in doubt, and what to do about it."""

    key: str
    message: str
    advice: str


@dataclass(frozen=True)
class Report:
    """A title, one line with the verdict, alerts and sections in reading order."""

    title: str
    verdict: str
    alerts: Sequence[Alert]
    sections: Sequence[Section]
    facts: Mapping[str, Any] = field(default_factory=dict)
