"""Image implementation of `ftaug preview`: contact sheets and augmentation statistics."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ftaug.config.registry import Component
from ftaug.config.severity import governed
from ftaug.documents import contact_sheet
from ftaug.documents.thumbnail import encoded, fitted
from ftaug.errors import ExperimentError
from ftaug.image.augmentations.pipeline import Pipeline
from ftaug.image.preview import columns as sheet_columns
from ftaug.image.preview.statistics import Effect
from ftaug.image.preview.statistics import effects as effects_of
from ftaug.interfaces.document import Gallery, Picture
from ftaug.interfaces.preview import Preview, PreviewRequest

noun = "picture"
default_output = Path("sheet.png")
ON_SHEET, IN_REPORT = 4, 2
"""Number of epochs in which the augmented images are shown."""

SIDE = 160
"""Longer side of thumbnails in pixels."""


def check_output(output: Path) -> None:
    """Raise ExperimentError for an output file whose suffix is not that of a writable image format."""
    if Image.registered_extensions().get(output.suffix.lower(), "") not in Image.SAVE:
        raise ExperimentError(f"{output}: must end in a picture's suffix, such as .png")


def overview(showing: PreviewRequest) -> Preview:
    """Draw images as stored, after each augmentation, after all of them, and after batch mixing."""
    return _of_rows(showing, _columns(showing, ON_SHEET))


def galleries(showing: PreviewRequest) -> list[Gallery]:
    """Return the images of the overview as thumbnails: a gallery for each sample."""
    columns = _columns(showing, IN_REPORT)
    return [
        Gallery([_thumbnail(column, place) for column in columns], f"{row.label_text}; {Path(row.name).name}")
        for place, row in enumerate(showing.rows)
    ]


def _thumbnail(column: contact_sheet.Column, place: int) -> Picture:
    note = column.captions[place] if column.captions else ""
    caption = f"{column.heading}: {note}" if note else column.heading
    return Picture(*encoded(fitted(column.pictures[place], SIDE)), alt=caption, caption=caption)


def _columns(showing: PreviewRequest, epochs: int) -> list[contact_sheet.Column]:
    columns = sheet_columns.columns(showing.rows, showing.augment, showing.preprocessing, epochs)
    if showing.mix is None:
        return columns
    names = [
        now.removeprefix(sheet_columns.NOW) if now.startswith(sheet_columns.NOW) else ", ".join(row.labels)
        for row, now in zip(showing.rows, columns[-1].captions, strict=True)
    ]
    return [*columns, _mixed(showing.mix, showing.rng, columns[-1], names)]


def repeated(showing: PreviewRequest) -> Preview:
    """Draw images as stored and after several draws of one augmentation."""
    return _of_rows(showing, sheet_columns.repeated(showing.rows, showing.augment[0], showing.preprocessing))


def severities(showing: PreviewRequest) -> Preview:
    """Draw a grid of ops with a severity (rows) by severity (columns)."""
    graded = [op for op in showing.augment if governed(op.entry)]
    without = [op.name for op in showing.augment if op not in graded]
    row = showing.rows[0]
    columns = sheet_columns.severity_grid(row, graded, showing.preprocessing)
    labels = [(op.name, ", ".join(governed(op.entry))) for op in graded]
    subtitle = f"one picture of {row.label_text}, the same draw at five severities"
    subtitle += f"; without a severity: {', '.join(without)}" if without else ""
    return _drawn(columns, labels, showing.title, subtitle)


def effects(showing: PreviewRequest) -> list[Effect]:
    """Compute the statistics of each augmentation alone on these images."""
    return effects_of(Pipeline(showing.augment, showing.preprocessing), showing.rows)


def _of_rows(showing: PreviewRequest, columns: Sequence[contact_sheet.Column]) -> Preview:
    names = ", ".join(op.name for op in showing.augment) or "no augmentation"
    labels = [(row.label_text, Path(row.name).name) for row in showing.rows]
    return _drawn(columns, labels, showing.title, f"{showing.samples:,} training pictures; {names}")


def _drawn(
    columns: Sequence[contact_sheet.Column], labels: Sequence[tuple[str, str]], title: str, subtitle: str
) -> Preview:
    picture = contact_sheet.draw(columns, labels, title, subtitle)

    def file(suffix: str) -> bytes:
        encoded = io.BytesIO()
        picture.save(encoded, Image.registered_extensions()[suffix.lower()])
        return encoded.getvalue()

    return Preview(file)


def _mixed(
    mix: Component, rng: np.random.Generator, seen: contact_sheet.Column, names: Sequence[str]
) -> contact_sheet.Column:
    """Mix the images of a column as one batch; the captions give the target shares."""
    import torch

    targets = torch.from_numpy(np.eye(len(names), dtype=np.float32))
    batch = torch.from_numpy(np.stack(seen.pictures)).permute(0, 3, 1, 2)
    inputs, shares = mix(batch, targets, rng)
    pictures = inputs.float().round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
    captions = [
        " + ".join(f"{share:.0%} {name}" for share, name in zip(row, names, strict=True) if share > 0.005)
        for row in shares.tolist()
    ]
    return contact_sheet.Column(seen.group, mix.name, "mixed with one another", list(pictures), captions)
