"""Write a report as one self-contained HTML page."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import singledispatch

from ftaug.documents import html_page, svg_chart
from ftaug.documents.html_page import text
from ftaug.documents.palette import shade
from ftaug.interfaces.document import (
    Alert,
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

STYLE = (
    """
section { padding: 1rem 1.2rem 1.2rem; }
h2 { font-size: 1.25rem; margin-bottom: .6rem; }
.verdict { margin: 1rem 0 0; font-size: 1.25rem; line-height: 1.45; overflow-wrap: anywhere; }
.contents { margin: 1rem 0 0; font-size: .9375rem; display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; }
a { color: var(--accent); }
.alerts { background: var(--caution-on); color: var(--caution); border-color: transparent; }
.alerts ul { margin: 0; padding-left: 1.2rem; } .alerts li { overflow-wrap: anywhere; }
p { margin: .6rem 0; max-width: 56rem; overflow-wrap: anywhere; }
pre { margin: .6rem 0; padding: .8rem 1rem; background: var(--paper); border: 1px solid var(--line);
  border-radius: .5rem; overflow: auto; max-height: 30rem; font: .875rem/1.5 ui-monospace, monospace; }
.scroll { margin: .4rem 0 1rem; overflow: auto; } .tall { max-height: 34rem; }
table { border-collapse: collapse; font-size: .9375rem; font-variant-numeric: tabular-nums; }
.caption { margin: .8rem 0 0; color: var(--faint); font-size: .9375rem; }
th, td { padding: .3rem .9rem .3rem 0; vertical-align: baseline; text-align: left; }
td { overflow-wrap: anywhere; min-width: 3rem; }
tbody th { position: sticky; left: 0; background: var(--card); font-weight: 600; white-space: nowrap;
  unicode-bidi: plaintext; }
.long tbody th { max-width: 22rem; white-space: normal; overflow-wrap: anywhere; }
thead th { position: sticky; top: 0; z-index: 1; background: var(--card); color: var(--faint); font-weight: 600;
  font-size: .8125rem; box-shadow: inset 0 -1px var(--line); white-space: nowrap; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
.number { text-align: right; white-space: nowrap; }
.shaded th, .shaded td { padding: .3rem .7rem; } .shaded tr > :first-child { padding-left: 0; }
.shaded td { print-color-adjust: exact; }
th button { all: unset; cursor: pointer; } th button:focus-visible { outline: 2px solid var(--accent); }
th[aria-sort=ascending] button::after { content: " ↑"; } th[aria-sort=descending] button::after { content: " ↓"; }
figure { margin: 0; } figcaption { font-size: .875rem; line-height: 1.4; overflow-wrap: anywhere; margin-top: .3rem; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 13rem), 1fr)); gap: 1.1rem;
  margin: .8rem 0; align-items: start; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr)); gap: 1.4rem;
  margin: .8rem 0; align-items: start; }
.single { max-width: 32rem; margin: .8rem 0; } .charts .single { margin: 0; }
.interval { color: var(--faint); font-size: .875em; }
.texts { grid-template-columns: minmax(0, 1fr); }
footer { margin-top: 1.6rem; color: var(--faint); font-size: .875rem; }
@media (max-width: 40rem) { section { padding: .9rem .9rem 1rem; } .verdict { font-size: 1.125rem; }
  .gallery { grid-template-columns: repeat(auto-fill, minmax(min(100%, 8.5rem), 1fr)); gap: .8rem; }
  .texts { grid-template-columns: minmax(0, 1fr); }
  .long tbody th { min-width: 9rem; max-width: 9rem; } .interval { display: block; } }
@media print { .contents { display: none; } .charts { grid-template-columns: 1fr 1fr; }
  .scroll, .tall, pre { max-height: none; overflow: visible; white-space: pre-wrap; }
  th { position: static !important; } h2 { break-after: avoid; } figure, tr, .alerts { break-inside: avoid; }
  section { border: 0; padding: 0; } .alerts { padding: .6rem; border: 1px solid var(--caution); } }
"""
    + svg_chart.STYLE
)

SCRIPT = """
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.append(...heading.childNodes);
    heading.append(button);
    button.onclick = () => {
      const up = heading.ariaSort !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.ariaSort = null;
      heading.ariaSort = up ? "ascending" : "descending";
      const value = row => row.cells[column].textContent.trim();
      const number = row => parseFloat(value(row).replace(/[,<]/g, "").replace("−", "-"));
      const numeric = heading.classList.contains("number");
      const compare = (a, b) => numeric
        ? (number(a) - number(b) || isNaN(number(a)) - isNaN(number(b)))
        : value(a).localeCompare(value(b), undefined, {numeric: true});
      body.append(...[...body.rows].sort((a, b) => up ? compare(a, b) : compare(b, a)));
    };
  });
}
"""
"""Sorts a table by the column whose heading is pressed."""

NUMBER = re.compile(r"[<+\-−]?\d[\d,.]*(e[+-]?\d+)?( ?%)?(\s.*\d.*|\s*\[.*\])?|[–·]|", re.DOTALL)
"""A cell that reads as a number, maybe with its interval."""

TALL = 25
"""Rows of a table above which it scrolls on a screen."""
LONG = 14
"""Characters of a row's name above which names are wrapped."""

INTERVAL = re.compile(r"^(\S+) (\[[^\[\]]*\])$")


def page(report: Report) -> str:
    """Return the page."""
    body = [
        f'<header>\n<h1>{text(report.title)}</h1>\n<p class="subtitle">{text(report.subtitle)}</p>',
        f'<p class="verdict">{text(report.verdict)}</p>\n</header>',
        *_alerts(report.alerts),
        *_contents(report.sections),
        *(line for section in report.sections for line in _section(section)),
        f"<footer>{text(report.footer)}</footer>",
    ]
    return html_page.page(report.title, body, STYLE, SCRIPT)


def _alerts(alerts: Sequence[Alert]) -> Iterator[str]:
    if alerts:
        yield '<section class="alerts" id="alerts">\n<h2>Look at this first</h2>\n<ul>'
        yield from (f"<li>{text(alert.message)}. {text(alert.advice)}</li>" for alert in alerts)
        yield "</ul>\n</section>"


def _contents(sections: Sequence[Section]) -> Iterator[str]:
    links = (f'<a href="#{text(section.key)}">{text(section.title)}</a>' for section in sections)
    yield f'<nav class="contents" aria-label="Contents">{"".join(links)}</nav>'


def _section(section: Section) -> Iterator[str]:
    yield f'<section id="{text(section.key)}">\n<h2>{text(section.title)}</h2>'
    yield from map(html_of, section.blocks)
    yield "</section>"


@singledispatch
def html_of(block: Block) -> str:
    """Return a block in HTML."""
    raise TypeError(type(block))


@html_of.register
def _(block: Paragraph) -> str:
    return f"<p>{text(block.text)}</p>"


@html_of.register
def _(block: Code) -> str:
    return f'<pre tabindex="0">{text(block.text)}</pre>'


@html_of.register
def _(block: DataTable) -> str:
    numeric = [all(NUMBER.fullmatch(row[i]) for row in block.rows) for i in range(len(block.headings))]
    kinds = [' class="number"' if number and i else "" for i, number in enumerate(numeric)]
    head = "".join(f'<th scope="col"{kind}>{text(h)}</th>' for h, kind in zip(block.headings, kinds, strict=True))
    styles = [[_style(weight) for weight in row] for row in block.shades] or [[""] * len(kinds[1:])] * len(block.rows)
    rows = "\n".join(
        f'<tr><th scope="row">{text(first)}</th>'
        + "".join(
            f"<td{kind}{style}>{_cell(cell)}</td>" for cell, kind, style in zip(cells, kinds[1:], row, strict=True)
        )
        + "</tr>"
        for (first, *cells), row in zip(block.rows, styles, strict=True)
    )
    caption = f'<p class="caption">{text(block.caption)}</p>\n' if block.caption else ""
    label = text(block.caption or block.headings[0])
    names = ("shaded" if block.shades else "", "long" if any(len(row[0]) > LONG for row in block.rows) else "")
    kind = f' class="{" ".join(filter(None, names))}"' if any(names) else ""
    table = f"<table{kind}><thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>"
    frame = "scroll tall" if len(block.rows) > TALL else "scroll"
    return f'{caption}<div class="{frame}" tabindex="0" role="region" aria-label="{label}">{table}</div>'


def _style(weight: float) -> str:
    return f' style="background: {shade(weight)}"' if weight else ""


def _cell(cell: str) -> str:
    """Return the content of a cell, with its interval apart from the value."""
    return INTERVAL.sub(r'\1 <span class="interval">\2</span>', text(cell))


@html_of.register
def _(block: Picture) -> str:
    source = f"data:{block.media_type};base64,{b64encode(block.content).decode()}"
    return _figure(f'<img src="{source}" alt="{text(block.alt)}">', block.caption)


@html_of.register(LineChart)
@html_of.register(BarChart)
def _(block: LineChart | BarChart) -> str:
    return f'<figure class="single">{svg_chart.svg(block)}</figure>'


@html_of.register
def _(block: HighlightedText) -> str:
    marked = "".join(
        f'<mark style="background: {shade(weight)}">{text(span)}</mark>' if weight else text(span)
        for span, weight in block.spans
    )
    return _figure(f'<p class="text" dir="auto">{marked}</p>', block.caption)


@html_of.register
def _(block: Gallery) -> str:
    is_charts = all(isinstance(item, LineChart | BarChart) for item in block.items)
    has_texts = any(isinstance(item, HighlightedText) for item in block.items)
    kind = "charts" if is_charts else "gallery texts" if has_texts else "gallery"
    caption = f"<p>{text(block.caption)}</p>\n" if block.caption else ""
    return f'{caption}<div class="{kind}">{"".join(map(html_of, block.items))}</div>'


def _figure(content: str, caption: str) -> str:
    shown = f"<figcaption>{text(caption)}</figcaption>" if caption else ""
    return f"<figure>{content}{shown}</figure>"
