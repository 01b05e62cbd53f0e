"""HTML rendering of text previews, as a self-contained page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from ftaug.documents import html_page
from ftaug.documents.html_page import text
from ftaug.interfaces.preview import Effect, PreviewRequest
from ftaug.text.preview.diff import Piece, shortened
from ftaug.text.preview.trials import Trial
from ftaug.text.preview.versions import PreviewItem, Version
from ftaug.text.preview.visible import visible, visible_change

CONTEXT = 600
"""Maximum length of unchanged text between changes; longer text is elided in the middle."""

STYLE = """
.drawn, .same { color: var(--faint); }
.caution { margin: 0 0 .6rem; padding: .5rem .9rem; border-radius: .5rem; background: var(--caution-on);
  color: var(--caution); font-size: .9375rem; }
section { overflow-x: auto; }
section > header { display: flex; flex-wrap: wrap; gap: .2rem .9rem; align-items: baseline; padding: .8rem 1.2rem;
  border-bottom: 1px solid var(--line); }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .5rem 1.2rem; vertical-align: top; text-align: left; }
tbody th { width: 11rem; font-weight: 600; font-size: .9375rem; overflow-wrap: anywhere; }
tbody tr + tr > * { border-top: 1px solid var(--line); }
th.group { width: auto; padding-top: .9rem; padding-bottom: .2rem; color: var(--accent); font-size: .75rem;
  letter-spacing: .06em; text-transform: uppercase; }
tr.group + tr > * { border-top: 0; }
.drawn { display: block; font-weight: 400; font-size: .8125rem; }
td p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; max-width: 46rem; }
td p + p { margin-top: .5rem; padding-top: .5rem; border-top: 1px dashed var(--line); }
.figures { font-size: .9375rem; }
.figures th:not(:first-child), .figures td { text-align: right; font-variant-numeric: tabular-nums; }
.figures thead th { color: var(--faint); font-weight: 600; font-size: .8125rem; border-bottom: 1px solid var(--line); }
ins, del { border-radius: .2rem; padding: .05rem .15rem; }
ins { background: var(--added-on); color: var(--added); font-weight: 600; text-decoration: none; }
del { background: var(--removed-on); color: var(--removed); text-decoration: line-through; }
@media (max-width: 40rem) { th, td { padding: .45rem .8rem; } tbody th { width: 7rem; } }
"""


def page(showing: PreviewRequest, samples: Sequence[PreviewItem], subtitle: str) -> str:
    """Return the page: statistics of each op, cautions, and every sample with its versions."""
    body = [
        f'<h1>{text(showing.title)}</h1>\n<p class="subtitle">{text(subtitle)}</p>',
        '<p class="legend"><del>removed</del> <ins>added</ins></p>',
        *(f'<p class="caution">{text(caution)}</p>' for caution in showing.cautions),
        *_figures(showing.effects, len(showing.rows)),
        *(line for item in samples for line in _sample(item)),
    ]
    return html_page.page(showing.title, body, STYLE)


def _figures(effects: Sequence[Effect], samples: int) -> Iterator[str]:
    if not effects:
        return
    first = f"alone, {effects[0].tries // samples} times on {samples} text{'s' * (samples != 1)}"
    headings = "".join(f'<th scope="col">{text(heading)}</th>' for heading in (first, *effects[0].describe()))
    yield f'<section>\n<table class="figures">\n<thead><tr>{headings}</tr></thead>\n<tbody>'
    for effect in effects:
        cells = "".join(f"<td>{text(figure)}</td>" for figure in effect.describe().values())
        yield f'<tr><th scope="row">{text(effect.op)}</th>{cells}</tr>'
    yield "</tbody>\n</table>\n</section>"


def _sample(item: PreviewItem) -> Iterator[str]:
    row = item.row
    labels, name = text(row.label_text), text(row.name)
    yield f'<section>\n<header><h2>{labels}</h2><span class="name">{name}</span></header>\n<table>\n<tbody>'
    originals = [whole for whole in row.raw if whole is not None]
    yield _line("original", "", [[Piece(whole, whole)] for whole in originals])
    for group in item.groups:
        if group.versions:
            yield f'<tr class="group"><th class="group" colspan="2" scope="colgroup">{text(group.title)}</th></tr>'
        yield from map(_version, group.versions)
    yield "</tbody>\n</table>\n</section>"


def _version(version: Version) -> str:
    trial: Trial = version.trial
    if not trial.changed:
        return f'<tr><th scope="row">{text(version.heading)}</th><td class="same">unchanged</td></tr>'
    texts = [shortened(change.pieces, CONTEXT) for change in trial.changes]
    return _line(version.heading, version.note, texts)


def _line(heading: str, drawn: str, texts: Iterable[Sequence[Piece]]) -> str:
    note = f'<span class="drawn">{text(drawn)}</span>' if drawn else ""
    bodies = "".join(f'<p dir="auto">{"".join(map(_piece, parts))}</p>' for parts in texts)
    return f'<tr><th scope="row">{text(heading)}{note}</th><td>{bodies}</td></tr>'


def _piece(piece: Piece) -> str:
    if piece.kept:
        return escape(visible(piece.before))
    removed, added = escape(visible_change(piece.before)), escape(visible_change(piece.after))
    return f"<del>{removed}</del>" * bool(removed) + f"<ins>{added}</ins>" * bool(added)
