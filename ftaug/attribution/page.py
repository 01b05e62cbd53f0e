"""The HTML page of explanations."""

from __future__ import annotations

from collections.abc import Iterable

from ftaug.documents import html_page
from ftaug.documents.html_page import text
from ftaug.documents.palette import LOWERS, RAISES
from ftaug.interfaces.explanation import Explanation

STYLE = f"""
.raises, .lowers {{ display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem;
  vertical-align: -.05rem; }}
.raises {{ background: rgb{RAISES}; }} .lowers {{ background: rgb{LOWERS}; margin-left: 1rem; }}
section {{ padding: 1rem 1.2rem; break-inside: avoid; }}
.name {{ margin: 0 0 .8rem; }}
.pictures {{ display: flex; flex-wrap: wrap; gap: .8rem; }}
img {{ image-rendering: pixelated; }}
"""


def page(title: str, bodies: Iterable[tuple[Explanation, str]]) -> str:
    """Return the page with a section for each explanation; the second of each pair is its body in HTML."""
    legend = '<span class="raises"></span> raises the output <span class="lowers"></span> lowers it'
    sections = [_section(explanation, body) for explanation, body in bodies]
    return html_page.page(title, [f'<h1>{text(title)}</h1>\n<p class="legend">{legend}</p>', *sections], STYLE)


def _section(explanation: Explanation, body: str) -> str:
    details = ", ".join([f"{explanation.method}: {explanation.output}", *_figures(explanation)])
    heading = f"<h2>{text(explanation.prediction)}</h2>"
    return f'<section>\n{heading}\n<p class="name">{text(details)}<br>{text(explanation.name)}</p>\n{body}\n</section>'


def _figures(explanation: Explanation) -> list[str]:
    error = explanation.attribution.figures.get("completeness_error")
    return [] if error is None else [f"completeness error {error:.1%}"]
