"""A page to listen to sounds before and after augmentation."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ftaug.audio.io.wav import encoded as as_wav
from ftaug.audio.preview.versions import Versions
from ftaug.documents import html_page
from ftaug.documents.html_page import text
from ftaug.documents.thumbnail import encoded, fitted
from ftaug.interfaces.preview import PreviewRequest

WIDTH = 220
STYLE = """
section { padding: 1rem 1.2rem; }
.versions { display: flex; flex-wrap: wrap; gap: 1rem; margin-top: .8rem; }
figure { margin: 0; width: 15rem; }
figcaption { font-size: .8125rem; overflow-wrap: anywhere; }
figcaption b { color: var(--ink); display: block; }
audio { width: 100%; height: 2.2rem; margin-top: .3rem; }
"""


def page(showing: PreviewRequest, shown: Sequence[Versions], labels: Sequence[tuple[str, str]], subtitle: str) -> str:
    """Return a page with a spectrogram and a player of each version of each sound; masks are seen, not heard."""
    pictures = [each.pictures(showing.preprocessing) for each in shown]
    body = [f'<h1>{text(showing.title)}</h1>\n<p class="subtitle">{text(subtitle)}</p>']
    for row, (label, note) in enumerate(labels):
        heading = f'<header><h2>{text(label)}</h2><span class="name">{text(note)}</span></header>'
        body.append(f'<section>\n{heading}\n<div class="versions">')
        body += _figures(shown, pictures, row, showing.preprocessing)
        body.append("</div>\n</section>")
    return html_page.page(showing.title, body, STYLE)


def _figures(
    shown: Sequence[Versions], pictures: Sequence[Sequence[np.ndarray]], row: int, preprocessing: Mapping[str, Any]
) -> Iterator[str]:
    for each, drawn in zip(shown, pictures, strict=True):
        content, media_type = encoded(fitted(drawn[row], WIDTH))
        image = f'<img src="data:{media_type};base64,{_base64(content)}" alt="spectrogram, {text(each.heading)}">'
        sound = _base64(as_wav(_as_integers(each.wave(row)), int(preprocessing["rate"])))
        player = f'<audio controls preload="none" src="data:audio/wav;base64,{sound}"></audio>'
        note = each.captions[row] or each.note
        caption = f"<figcaption><b>{text(each.heading)}</b>{text(note)}</figcaption>"
        yield f"<figure>\n{image}\n{player}\n{caption}\n</figure>"


def _as_integers(wave: np.ndarray) -> np.ndarray:
    """Round a waveform to int16, clipped at ±1."""
    return np.asarray(np.clip(np.rint(wave * 32_767), -32_768, 32_767), np.int16)


def _base64(content: bytes) -> str:
    return b64encode(content).decode()
