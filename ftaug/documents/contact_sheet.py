"""Draw contact sheets: images in rows and columns, with labels, headings and captions."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from ftaug.documents.sheet_text import fitting_size, height, write
from ftaug.interfaces.data_health import SheetRow

PAPER, INK, FAINT = "#ffffff", "#1c2430", "#6b7685"
GROUP_COLORS = ("#8d97a5", "#2f6fb5", "#c2571a")
CELL, CAPTION, GAP, MARGIN = 144, 28, 10, 28
PITCH = CELL + CAPTION + GAP
"""Distance in pixels from one row to the next."""

LABELS, HEADER, TITLE = 150, 88, 62
COLUMNS_ABREAST = 8


@dataclass(frozen=True)
class Column:
    """A column of images, one per row, under a heading; columns of a group share a color and the group's name."""

    group: str
    heading: str
    note: str
    pictures: Sequence[np.ndarray]
    captions: Sequence[str] = ()


def draw_rows(rows: Sequence[SheetRow], picture_of: Callable[[Any], np.ndarray], title: str, subtitle: str) -> bytes:
    """Draw rows of up to eight samples as PNG; `picture_of` returns the pixels of a raw one, uint8 (H, W, 3)."""
    width = min(COLUMNS_ABREAST, max((len(row.cells) for row in rows), default=1))
    blank = np.full((1, 1, 3), 255, np.uint8)
    drawn = [
        [(picture_of(raw), caption) for raw, caption in row.cells[:width]] + [(blank, "")] * (width - len(row.cells))
        for row in rows
    ]
    columns = [
        Column("samples", str(place + 1), "", *zip(*cells, strict=True))
        for place, cells in enumerate(zip(*drawn, strict=True))
    ]
    file = io.BytesIO()
    draw(columns, [(row.label, row.note) for row in rows], title, subtitle).save(file, "PNG")
    return file.getvalue()


def draw(columns: Sequence[Column], rows: Sequence[tuple[str, str]], title: str, subtitle: str) -> Image.Image:
    """Draw a contact sheet; each row has a label and a note below it. Many columns wrap into further bands.

    Headings, rows and captions are as high as their texts need.
    """
    abreast = math.ceil(len(columns) / math.ceil(len(columns) / COLUMNS_ABREAST))
    bands = [columns[i : i + abreast] for i in range(0, len(columns), abreast)]
    width = 2 * MARGIN + LABELS + max(abreast, 3) * (CELL + GAP) - GAP
    headers = [_header_height(band) for band in bands]
    pitches = [[_row_height(band, row, *texts) for row, texts in enumerate(rows)] for band in bands]
    top = MARGIN + max(TITLE, 13 + sum(_title_heights(title, subtitle, width)))
    heights = [header + sum(pitch) + 2 * GAP for header, pitch in zip(headers, pitches, strict=True)]
    sheet = Image.new("RGB", (width, top + MARGIN + sum(heights) - 3 * GAP), PAPER)
    pen = ImageDraw.Draw(sheet)
    below = write(pen, MARGIN, MARGIN - 6, title, 22, width - 2 * MARGIN, INK, bold=True)
    write(pen, MARGIN, max(below, MARGIN + 23) + 3, subtitle, 13, width - 2 * MARGIN, FAINT)
    groups = list(dict.fromkeys(column.group for column in columns))
    for band, header, pitch, band_height in zip(bands, headers, pitches, heights, strict=True):
        _draw_header(pen, band, groups, top)
        y = top + header
        for row, (label, note) in enumerate(rows):
            _draw_label(pen, label, note, y)
            for place, column in enumerate(band):
                x = MARGIN + LABELS + place * (CELL + GAP)
                _draw_cell(sheet, pen, column.pictures[row], _caption(column, row), x, y)
            y += pitch[row]
        top += band_height
    return sheet


def _title_heights(title: str, subtitle: str, width: int) -> tuple[int, int]:
    room = width - 2 * MARGIN
    return height(title, 22, room, bold=True), height(subtitle, 13, room)


def _caption(column: Column, row: int) -> str:
    return column.captions[row] if column.captions else ""


def _row_height(band: Sequence[Column], row: int, label: str, note: str) -> int:
    """Return the distance from a row of a band to the next."""
    captions = max(height(_caption(column, row), 10, CELL) for column in band)
    return max(PITCH, CELL + 2 + captions + GAP, _label_height(label, note) + GAP)


def _group_spans(band: Sequence[Column]) -> list[tuple[int, int]]:
    """Return the first column and the number of columns of each group of a band."""
    firsts = [i for i, column in enumerate(band) if i == 0 or band[i - 1].group != column.group]
    return [(first, end - first) for first, end in zip(firsts, [*firsts[1:], len(band)], strict=True)]


def _group_height(band: Sequence[Column]) -> int:
    return max(16, *(height(band[first].group, 12, _span(count), bold=True) for first, count in _group_spans(band)))


def _span(columns: int) -> int:
    """Return the width of neighboring columns."""
    return columns * (CELL + GAP) - GAP


def _heading_size(column: Column) -> int:
    return fitting_size(column.heading, (14, 13, 12, 11), CELL)


def _heading_height(band: Sequence[Column]) -> int:
    return max(19, *(height(column.heading, _heading_size(column), CELL, bold=True) for column in band))


def _header_height(band: Sequence[Column]) -> int:
    """Return the height of the group names, headings and notes of a band."""
    notes = max(height(column.note, 11, CELL) for column in band)
    return max(HEADER, _group_height(band) + 11 + _heading_height(band) + 2 + notes + 12)


def _draw_header(pen: ImageDraw.ImageDraw, band: Sequence[Column], groups: Sequence[str], top: int) -> None:
    """Draw the group names and colors of a band, then the heading and note of each column."""
    line = top + _group_height(band) + 2
    for first, count in _group_spans(band):
        color = GROUP_COLORS[groups.index(band[first].group) % len(GROUP_COLORS)]
        x = MARGIN + LABELS + first * (CELL + GAP)
        write(pen, x, top, band[first].group, 12, _span(count), color, bold=True)
        pen.rectangle((x, line, x + _span(count) - 1, line + 2), color)
    for place, column in enumerate(band):
        x = MARGIN + LABELS + place * (CELL + GAP)
        write(pen, x, line + 9, column.heading, _heading_size(column), CELL, INK, bold=True)
        write(pen, x, line + 11 + _heading_height(band), column.note, 11, CELL, FAINT)


def _label_height(label: str, note: str) -> int:
    room = LABELS - 2 * GAP
    return height(label, _label_size(label), room, bold=True) + 4 + height(note, 11, room)


def _label_size(label: str) -> int:
    return fitting_size(label, (15, 14, 13, 12), LABELS - 2 * GAP)


def _draw_label(pen: ImageDraw.ImageDraw, label: str, note: str, y: int) -> None:
    """Draw the label of a row and its note beside the middle of the pictures."""
    room = LABELS - 2 * GAP
    top = y + max(0, min(CELL // 2 - 28, CELL - _label_height(label, note)))
    below = write(pen, MARGIN, top, label, _label_size(label), room, INK, bold=True)
    write(pen, MARGIN, below + 4, note, 11, room, FAINT)


def _draw_cell(sheet: Image.Image, pen: ImageDraw.ImageDraw, pixels: np.ndarray, caption: str, x: int, y: int) -> None:
    """Draw an image centered in its cell, small ones enlarged with nearest-neighbor, with its caption below."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    factor = CELL / max(image.size)
    method = Image.Resampling.NEAREST if factor > 2 else Image.Resampling.LANCZOS
    image = image.resize((max(1, round(image.width * factor)), max(1, round(image.height * factor))), method)
    sheet.paste(image, (x + (CELL - image.width) // 2, y + (CELL - image.height) // 2))
    write(pen, x, y + CELL + 2, caption, 10, CELL, FAINT)
