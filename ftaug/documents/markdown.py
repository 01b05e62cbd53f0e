"""Write a report as Markdown (GitHub's), with its pictures as files beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ftaug.documents import svg_chart
from ftaug.errors import printable
from ftaug.interfaces.document import (
    BarChart,
    Block,
    Code,
    DataTable,
    Gallery,
    HighlightedText,
    LineChart,
    Paragraph,
    Picture,
    Report,
    Section,
)

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&!@])")
STRONG = 0.3
"""Weight from which a span of a text is shown bold, or italic if it lowers the output."""


@dataclass
class MarkdownWriter:
    """Writes reports; `files` are the pictures by file name, to be written into `folder` beside the report."""

    folder: str
    files: dict[str, bytes] = field(default_factory=dict)

    def write(self, report: Report) -> str:
        """Return the report."""
        return "\n\n".join(self._report(report)) + "\n"

    def _report(self, report: Report) -> Iterator[str]:
        yield f"# {text(report.title)}"
        if report.subtitle:
            yield text(report.subtitle)
        yield f"**{text(report.verdict)}**"
        if report.alerts:
            yield "## Look at this first"
            yield "\n".join(f"- {text(alert.message)}. {text(alert.advice)}" for alert in report.alerts)
        for section in report.sections:
            yield from self._section(section)
        if report.footer:
            yield text(report.footer)

    def _section(self, section: Section) -> Iterator[str]:
        yield f"## {text(section.title)}"
        for block in section.blocks:
            yield from self._block(block, section.key)

    def _block(self, block: Block, key: str) -> Iterator[str]:
        match block:
            case Paragraph():
                yield text(block.text)
            case Code():
                yield _fenced(printable(block.text))
            case DataTable():
                if block.caption:
                    yield text(block.caption)
                yield _table(block)
            case Gallery():
                if block.caption:
                    yield text(block.caption)
                for item in block.items:
                    yield from self._block(item, key)
            case HighlightedText():
                yield "".join(_span(span, weight) for span, weight in block.spans)
                if block.caption:
                    yield text(block.caption)
            case Picture():
                suffix = block.media_type.partition("/")[2].partition("+")[0]
                yield self._picture(block.content, f"{key}.{suffix}", block.alt)
                if block.caption:
                    yield text(block.caption)
            case LineChart() | BarChart():
                yield self._picture(svg_chart.svg(block, alone=True).encode(), f"{key}.svg", block.alt)

    def _picture(self, content: bytes, name: str, alt: str) -> str:
        stem, _, suffix = name.rpartition(".")
        name = f"{stem}-{len(self.files) + 1}.{suffix}"
        self.files[name] = content
        return f"![{text(alt)}](<{self.folder}/{name}>)"


def text(content: str) -> str:
    """Escape a text for one line of Markdown, control characters too."""
    line = SPECIAL.sub(r"\\\1", " ".join(printable(content).split()))
    line = re.sub(r"^([+-])(?=\s)", r"\\\1", line)  # would start a list
    return re.sub(r"^(\d+)([.)])(?=\s)", r"\1\\\2", line)


def _table(table: DataTable) -> str:
    lines = [table.headings, ["---"] * len(table.headings)]
    cells = [[text(cell) for cell in row] for row in table.rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in ([text(h) for h in lines[0]], lines[1], *cells))


def _span(span: str, weight: float) -> str:
    """Mark a span, but not the spaces around it, which Markdown wants outside of the marks."""
    shown, inner = text(span), span.strip()
    mark = "**" if weight >= STRONG else "*" if weight <= -STRONG else ""
    before, after = (" " if span[: len(span) - len(span.lstrip())] else ""), (" " if span != span.rstrip() else "")
    return f"{before}{mark}{shown}{mark}{after}" if inner else " "


def _fenced(code: str) -> str:
    longest = max((len(run) for run in re.findall("`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{code.rstrip()}\n{fence}"
