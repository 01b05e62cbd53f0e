"""The HTML page of explanations: one self-contained file without scripts."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from ftaug.errors import printable
from ftaug.interfaces.explanation import Explanation

RAISES, LOWERS = (213, 94, 0), (0, 114, 178)
"""Vermillion and blue of Okabe & Ito, which color-blind people tell apart too."""

STYLE = """
:root { color-scheme: light dark; --paper: #f6f7f9; --card: #ffffff; --ink: #1c2430; --faint: #5d6877;
  --line: #e1e5ea; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --card: #1d2127; --ink: #e4e8ee; --faint: #98a3b2;
  --line: #323943; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.6 system-ui, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { margin: 0; font-size: 1.7rem; line-height: 1.25; overflow-wrap: anywhere; }
.legend, .name { color: var(--faint); font-size: .875rem; }
.legend { margin: .8rem 0 1.6rem; }
.raises, .lowers { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem; vertical-align: -.05rem; }
.raises { background: rgb(213, 94, 0); } .lowers { background: rgb(0, 114, 178); margin-left: 1rem; }
section { margin: 1.2rem 0 0; padding: 1rem 1.2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem; break-inside: avoid; }
h2 { margin: 0; font-size: 1.0625rem; overflow-wrap: anywhere; }
.name { margin: 0 0 .8rem; overflow-wrap: anywhere; }
.pictures { display: flex; flex-wrap: wrap; gap: .8rem; }
img { max-width: 100%; image-rendering: pixelated; border-radius: .3rem; }
.text { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 2; max-width: 56rem; }
.text + .text { margin-top: .5rem; padding-top: .5rem; border-top: 1px dashed var(--line); }
mark { color: inherit; border-radius: .2rem; padding: .1rem 0; print-color-adjust: exact; }
"""

HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
"""


def page(title: str, bodies: Iterable[tuple[Explanation, str]]) -> str:
    """Return the page with a section for each explanation; the second of each pair is its body in HTML."""
    legend = '<span class="raises"></span> raises the output <span class="lowers"></span> lowers it'
    sections = [_section(explanation, body) for explanation, body in bodies]
    return "\n".join(
        [
            f"{HEAD}<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>",
            f'<h1>{text(title)}</h1>\n<p class="legend">{legend}</p>',
            *sections,
            "</main>\n</body>\n</html>\n",
        ]
    )


def _section(explanation: Explanation, body: str) -> str:
    details = ", ".join([f"{explanation.method}: {explanation.output}", *_figures(explanation)])
    heading = f"<h2>{text(explanation.prediction)}</h2>"
    return f'<section>\n{heading}\n<p class="name">{text(details)}<br>{text(explanation.name)}</p>\n{body}\n</section>'


def _figures(explanation: Explanation) -> list[str]:
    error = explanation.attribution.figures.get("completeness_error")
    return [] if error is None else [f"completeness error {error:.1%}"]


def text(content: str) -> str:
    """Escape a text for HTML, control characters too."""
    return escape(printable(content))


def shade(value: float, strongest: float) -> str:
    """Return the background color of a value: RAISES or LOWERS, the more opaque the stronger."""
    red, green, blue = RAISES if value > 0 else LOWERS
    opacity = 0.75 * min(1.0, abs(value) / strongest) if strongest > 0 else 0.0
    return f"rgba({red}, {green}, {blue}, {opacity:.2f})"
