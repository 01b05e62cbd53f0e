"""Draw contact sheets of augmented images: each augmentation alone, and all of them together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ftaug.augment import summary
from ftaug.config.registry import Component
from ftaug.config.severity import SHOWN, gradations
from ftaug.image.augmentations.pipeline import Pipeline
from ftaug.image.augmentations.transforms import Canvas
from ftaug.image.io.decode import opened
from ftaug.interfaces.preview import Row

PAPER, INK, FAINT = "#ffffff", "#1c2430", "#6b7685"
GROUP_COLORS = ("#8d97a5", "#2f6fb5", "#c2571a")
CELL, CAPTION, GAP, MARGIN = 144, 28, 10, 28
PITCH = CELL + CAPTION + GAP
"""Distance in pixels from one row to the next."""

LABELS, HEADER, TITLE = 150, 88, 62
COLUMNS_ABREAST = 8
TRIES = 100
NOW = "now "
"""Prefix of a caption when augmentation has changed the classes."""


@dataclass(frozen=True)
class Column:
    """A column of images, one per row, under a heading; columns of a group share a color and the group's name."""

    group: str
    heading: str
    note: str
    pictures: Sequence[np.ndarray]
    captions: Sequence[str] = ()


def columns(
    rows: Sequence[Row], augment: Sequence[Component], preprocessing: Mapping[str, Any], together: int = 4
) -> list[Column]:
    """Return columns with the original, every augmentation alone, and all augmentations in the first epochs."""
    result = [Column("data", "original", "as stored", [_upright(row.raw) for row in rows])]
    for op in augment:
        alone = Pipeline((op,), preprocessing)
        shown = [_shown(alone, row, _first_that_fires(alone, row)) for row in rows]
        result.append(Column("each alone", op.name, _settings(op), *zip(*shown, strict=True)))
    pipeline = Pipeline(tuple(augment), preprocessing)
    for epoch in range(together if augment else 1):
        shown = [_shown(pipeline, row, epoch) for row in rows]
        heading, note = f"epoch {epoch + 1}", _size(shown[0][0])
        result.append(Column("what the model sees", heading, note, *zip(*shown, strict=True)))
    return result


def repeated(rows: Sequence[Row], op: Component, preprocessing: Mapping[str, Any], draws: int = 7) -> list[Column]:
    """Return columns with the original, and several draws of one augmentation."""
    alone = Pipeline((op,), preprocessing)
    result = [Column("data", "original", "as stored", [_upright(row.raw) for row in rows])]
    for epoch in range(draws):
        shown = [_shown(alone, row, epoch) for row in rows]
        result.append(Column(op.name, f"draw {epoch + 1}", _settings(op), *zip(*shown, strict=True)))
    return result


def severity_grid(row: Row, ops: Sequence[Component], preprocessing: Mapping[str, Any]) -> list[Column]:
    """Return columns of growing severity, with a row for each op; the random draw is the same along a row."""
    by_op = [_by_severity(row, op, preprocessing) for op in ops]
    headings = [f"severity {severity:g}" for severity in SHOWN]
    return [
        Column("severity", heading, "", *zip(*shown, strict=True))
        for heading, shown in zip(headings, zip(*by_op, strict=True), strict=True)
    ]


def _by_severity(row: Row, op: Component, preprocessing: Mapping[str, Any]) -> list[tuple[np.ndarray, str]]:
    pipelines = [Pipeline((graded,), preprocessing) for _, graded in gradations(op)]
    epoch = _first_that_fires(pipelines[-1], row)
    return [_shown(pipeline, row, epoch) for pipeline in pipelines]


def _shown(pipeline: Pipeline, row: Row, epoch: int) -> tuple[np.ndarray, str]:
    """Return the augmented image and its caption: its new classes if they changed, else the drawn parameters."""
    pixels, applied = pipeline.augmented(row.raw, row.streams(epoch), row.labels)
    labels = applied.labels
    return pixels, summary.of_values(applied.values) if labels == row.labels else NOW + ", ".join(labels)


def _upright(raw: bytes | np.ndarray) -> np.ndarray:
    picture = opened(raw)
    return picture.turn.apply(picture.load(1))


def _first_that_fires(alone: Pipeline, row: Row) -> int:
    """Return the first epoch in which an op fires for an image; 0 if it never does."""
    picture = opened(row.raw)
    canvas = Canvas(picture.height, picture.width, alone.target, row.labels)
    return next((epoch for epoch in range(TRIES) if any(alone.fired(canvas, row.streams(epoch)))), 0)


def _settings(op: Component) -> str:
    return summary.of_settings(op, hidden=("border",))


def _size(pixels: np.ndarray) -> str:
    return f"{pixels.shape[1]} × {pixels.shape[0]} pixels"


def draw(columns: Sequence[Column], rows: Sequence[tuple[str, str]], title: str, subtitle: str) -> Image.Image:
    """Draw a contact sheet; each row has a label and a note below it. Many columns wrap into further bands."""
    abreast = math.ceil(len(columns) / math.ceil(len(columns) / COLUMNS_ABREAST))
    bands = [columns[i : i + abreast] for i in range(0, len(columns), abreast)]
    band_height = HEADER + len(rows) * PITCH + 2 * GAP
    width = 2 * MARGIN + LABELS + max(abreast, 3) * (CELL + GAP) - GAP
    sheet = Image.new("RGB", (width, 2 * MARGIN + TITLE + len(bands) * band_height - 3 * GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    _write(pen, MARGIN, MARGIN - 6, title, 22, width - 2 * MARGIN, bold=True)
    _write(pen, MARGIN, MARGIN + 26, subtitle, 13, width - 2 * MARGIN, FAINT)
    groups = list(dict.fromkeys(column.group for column in columns))
    for number, band in enumerate(bands):
        top = MARGIN + TITLE + number * band_height
        _draw_header(pen, band, groups, top)
        for row, (label, note) in enumerate(rows):
            y = top + HEADER + row * PITCH
            _draw_label(pen, label, note, y)
            for place, column in enumerate(band):
                caption = column.captions[row] if column.captions else ""
                _draw_cell(sheet, pen, column.pictures[row], caption, MARGIN + LABELS + place * (CELL + GAP), y)
    return sheet


def _draw_header(pen: ImageDraw.ImageDraw, band: Sequence[Column], groups: Sequence[str], top: int) -> None:
    """Draw the group names and colors of a band, then the heading and note of each column."""
    for place, column in enumerate(band):
        x = MARGIN + LABELS + place * (CELL + GAP)
        color = GROUP_COLORS[groups.index(column.group) % len(GROUP_COLORS)]
        begins = place == 0 or band[place - 1].group != column.group
        goes_on = place + 1 < len(band) and band[place + 1].group == column.group
        pen.rectangle((x, top + 18, x + CELL - 1 + (GAP if goes_on else 0), top + 20), color)
        if begins:
            _write(pen, x, top, column.group, 12, CELL, color, bold=True)
        size = next((size for size in (14, 13, 12, 11) if font(size, True).getlength(column.heading) <= CELL), 11)
        _write(pen, x, top + 27, column.heading, size, CELL, bold=True)
        _write(pen, x, top + 48, column.note, 11, CELL, FAINT, lines=2)


def _draw_label(pen: ImageDraw.ImageDraw, label: str, note: str, y: int) -> None:
    room = LABELS - 2 * GAP
    longest = max(label.split(" "), key=len)
    size = next((size for size in (15, 14, 13, 12) if font(size, True).getlength(longest) <= room), 12)
    below = _write(pen, MARGIN, y + CELL // 2 - 28, label, size, room, bold=True, lines=2)
    _write(pen, MARGIN, below + 4, note, 11, LABELS - 2 * GAP, FAINT)


def _draw_cell(sheet: Image.Image, pen: ImageDraw.ImageDraw, pixels: np.ndarray, caption: str, x: int, y: int) -> None:
    """Draw an image centered in its cell, small ones enlarged with nearest-neighbor, with its caption below."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    factor = CELL / max(image.size)
    method = Image.Resampling.NEAREST if factor > 2 else Image.Resampling.LANCZOS
    image = image.resize((max(1, round(image.width * factor)), max(1, round(image.height * factor))), method)
    sheet.paste(image, (x + (CELL - image.width) // 2, y + (CELL - image.height) // 2))
    _write(pen, x, y + CELL + 2, caption, 10, CELL, FAINT, lines=2)


def _write(
    pen: ImageDraw.ImageDraw,
    x: int,
    y: int,
    text: str,
    size: int,
    room: int,
    color: str = INK,
    *,
    bold: bool = False,
    lines: int = 1,
) -> int:
    """Draw a text, wrapped and truncated with an ellipsis to fit; return the y coordinate below it."""
    for line in _wrap(text, font(size, bold), room, lines):
        pen.text((x, y), line, color, font(size, bold))
        y += round(1.3 * size)
    return y


def _wrap(text: str, font: ImageFont.FreeTypeFont, room: int, lines: int) -> list[str]:
    """Wrap a text into at most `lines` lines, at word boundaries."""
    if lines == 1 or font.getlength(text) <= room:
        return [_truncate(text, font, room)]
    words = text.split(" ")
    count = len(words)
    while count > 1 and font.getlength(" ".join(words[:count])) > room:
        count -= 1
    first, rest = " ".join(words[:count]), " ".join(words[count:])
    return [_truncate(first, font, room), *(_wrap(rest, font, room, lines - 1) if rest else [])]


def _truncate(text: str, font: ImageFont.FreeTypeFont, room: int) -> str:
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "…") > room:
        text = text[:-1]
    return text.rstrip(" ,") + "…"


@cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Load DejaVu Sans from matplotlib, which covers more scripts than Pillow's default font."""
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)), size)
