"""Audio implementation of `ftaug preview`: sheets of spectrograms, pages to listen to, augmentation statistics."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ftaug.audio.augmentations.pipeline import Pipeline
from ftaug.audio.preview import html, versions
from ftaug.audio.preview.statistics import Effect
from ftaug.audio.preview.statistics import effects as effects_of
from ftaug.audio.preview.versions import Versions
from ftaug.config.registry import Component
from ftaug.config.severity import governed
from ftaug.documents import contact_sheet
from ftaug.documents.thumbnail import encoded, fitted
from ftaug.errors import ExperimentError
from ftaug.interfaces.document import Gallery, Picture
from ftaug.interfaces.preview import Preview, PreviewRequest

noun = "sound"
default_output = Path("sheet.png")
ON_SHEET, IN_REPORT = 4, 2
"""Number of epochs in which the augmented sounds are shown."""

SIDE = 200
"""Longer side of thumbnails in pixels."""
PAGE = ".html"


def check_output(output: Path) -> None:
    """Raise ExperimentError for an output file that is neither a page nor a picture."""
    suffix = output.suffix.lower()
    if suffix != PAGE and Image.registered_extensions().get(suffix, "") not in Image.SAVE:
        raise ExperimentError(f"{output}: must end in .html, to listen, or in a picture's suffix, such as .png")


def overview(showing: PreviewRequest) -> Preview:
    """Show sounds as read, after each augmentation, after all of them, and after batch mixing."""
    return _of_rows(showing, _versions(showing, ON_SHEET))


def galleries(showing: PreviewRequest) -> list[Gallery]:
    """Return the spectrograms of the overview as thumbnails: a gallery for each sample."""
    shown = [(each, each.pictures(showing.preprocessing)) for each in _versions(showing, IN_REPORT)]
    return [
        Gallery(
            [_thumbnail(each, pictures[place], place) for each, pictures in shown],
            f"{row.label_text}; {Path(row.name).name}",
        )
        for place, row in enumerate(showing.rows)
    ]


def _thumbnail(shown: Versions, pixels: np.ndarray, place: int) -> Picture:
    note = shown.captions[place]
    caption = f"{shown.heading}: {note}" if note else shown.heading
    return Picture(*encoded(fitted(pixels, SIDE)), alt=f"spectrogram, {caption}", caption=caption)


def repeated(showing: PreviewRequest) -> Preview:
    """Show sounds as read and after several draws of one augmentation."""
    return _of_rows(showing, list(versions.repeated(showing.rows, showing.augment[0], showing.preprocessing)))


def severities(showing: PreviewRequest) -> Preview:
    """Show a grid of ops with a severity (rows) by severity (columns)."""
    graded = [op for op in showing.augment if governed(op.entry)]
    without = [op.name for op in showing.augment if op not in graded]
    row = showing.rows[0]
    shown = list(versions.by_severity(row, graded, showing.preprocessing))
    labels = [(op.name, ", ".join(governed(op.entry))) for op in graded]
    subtitle = f"one sound of {row.label_text}, the same draw at five severities"
    subtitle += f"; without a severity: {', '.join(without)}" if without else ""
    return _preview(showing, shown, labels, subtitle)


def effects(showing: PreviewRequest) -> list[Effect]:
    """Compute the statistics of each augmentation alone on these sounds."""
    return effects_of(Pipeline(showing.augment, showing.preprocessing), showing.rows)


def _versions(showing: PreviewRequest, epochs: int) -> list[Versions]:
    shown = list(versions.overview(showing.rows, showing.augment, showing.preprocessing, epochs))
    names = [", ".join(row.labels) for row in showing.rows]
    return shown if showing.mix is None else [*shown, _mixed(showing.mix, showing.rng, shown[-1], names)]


def _of_rows(showing: PreviewRequest, shown: Sequence[Versions]) -> Preview:
    names = ", ".join(op.name for op in showing.augment) or "no augmentation"
    labels = [(row.label_text, Path(row.name).name) for row in showing.rows]
    return _preview(showing, shown, labels, f"{showing.samples:,} training sounds; {names}")


def _preview(
    showing: PreviewRequest, shown: Sequence[Versions], labels: Sequence[tuple[str, str]], subtitle: str
) -> Preview:
    def file(suffix: str) -> bytes:
        if suffix.lower() == PAGE:
            return html.page(showing, shown, labels, subtitle).encode()
        sheet = contact_sheet.draw(list(_columns(shown, showing.preprocessing)), labels, showing.title, subtitle)
        content = io.BytesIO()
        sheet.save(content, Image.registered_extensions()[suffix.lower()])
        return content.getvalue()

    return Preview(file)


def _columns(shown: Iterable[Versions], preprocessing: Any) -> Iterable[contact_sheet.Column]:
    for each in shown:
        yield contact_sheet.Column(each.group, each.heading, each.note, each.pictures(preprocessing), each.captions)


def _mixed(mix: Component, rng: np.random.Generator, seen: Versions, names: Sequence[str]) -> Versions:
    """Mix the sounds of a column as one batch; the captions give the target shares."""
    import torch

    targets = torch.from_numpy(np.eye(len(names), dtype=np.float32))
    inputs, shares = mix(torch.from_numpy(seen.packed), targets, rng)
    captions = [
        " + ".join(f"{share:.0%} {name}" for share, name in zip(row, names, strict=True) if share > 0.005)
        for row in shares.tolist()
    ]
    return Versions(seen.group, mix.name, "mixed with one another", inputs.numpy(), captions)
