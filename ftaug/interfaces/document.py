"""The content of a report, whatever format it is written in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal


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
    shades: Sequence[Sequence[float]] = ()  # of the cells but the first of each row: from 0, no color, to 1


@dataclass(frozen=True)
class Picture:
    """An encoded image with the text that replaces it for screen readers."""

    content: bytes
    media_type: str
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Series:
    """Points of a line chart, with the ends of their intervals if they have such."""

    name: str  # in the legend; empty: not there
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    style: Literal["line", "points", "reference"] = "line"  # reference: a thin dashed line


@dataclass(frozen=True)
class LineChart:
    """Series over a common axis."""

    series: Sequence[Series]
    x_label: str
    y_label: str
    alt: str
    title: str = ""
    x_range: tuple[float | None, float | None] = (None, None)  # None: that of the values
    y_range: tuple[float | None, float | None] = (None, None)
    log_y: bool = False


@dataclass(frozen=True)
class BarChart:
    """Horizontal bars from 0, one a row."""

    rows: Sequence[tuple[str, float, str]]  # name, value, formatted value
    alt: str
    title: str = ""


Chart = LineChart | BarChart


@dataclass(frozen=True)
class HighlightedText:
    """A text in spans, each with a weight from -1 (lowers the output) to 1 (raises it)."""

    spans: Sequence[tuple[str, float]]
    caption: str = ""


@dataclass(frozen=True)
class Gallery:
    """Pictures, charts and texts side by side."""

    items: Sequence[Picture | Chart | HighlightedText]
    caption: str = ""


Block = Paragraph | Code | DataTable | Picture | LineChart | BarChart | HighlightedText | Gallery


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
    subtitle: str = ""
    footer: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
