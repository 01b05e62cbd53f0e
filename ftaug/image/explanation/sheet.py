"""Draw a sheet of explained images: each as it is and with its map, and the prediction below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from ftaug.documents.contact_sheet import FAINT, INK, PAPER
from ftaug.documents.palette import LOWERS, RAISES
from ftaug.documents.sheet_text import font, wrap
from ftaug.documents.thumbnail import fitted
from ftaug.image.explanation.original import on_original
from ftaug.image.explanation.overlay import overlay
from ftaug.image.io.decode import opened
from ftaug.interfaces.explanation import Explanation

SIDE, GAP, MARGIN = 224, 12, 28
ABREAST = 2
"""Explained images side by side on a sheet."""

CARD = 2 * SIDE + GAP
FRAME = "#d5dae1"


def pictures(explanation: Explanation, preprocessing: Mapping[str, Any], side: int = SIDE) -> tuple[np.ndarray, ...]:
    """Return the upright image and the image under its map, uint8 (H, W, 3), with this longer side."""
    picture = opened(explanation.raw)
    pixels = picture.turn.apply(picture.load(1))
    shown = fitted(pixels, side)
    height, width = shown.shape[:2]
    values = on_original(explanation.attribution, (picture.height, picture.width), (height, width), preprocessing)
    return shown, overlay(shown, values)


def draw(explanations: Sequence[Explanation], title: str, preprocessing: Mapping[str, Any]) -> Image.Image:
    """Draw the sheet; names are wrapped, never cut."""
    abreast = min(ABREAST, len(explanations))
    rows = [explanations[start : start + abreast] for start in range(0, len(explanations), abreast)]
    captions = [[_caption(each) for each in row] for row in rows]
    heights = [SIDE + 8 + max(_height(lines) for lines in row) + 2 * GAP for row in captions]
    width = 2 * MARGIN + abreast * (CARD + 2 * GAP) - 2 * GAP
    heading = wrap(title, font(20, True), width - 2 * MARGIN)
    header = 26 * len(heading) + 30
    sheet = Image.new("RGB", (width, 2 * MARGIN + header + sum(heights)), PAPER)
    pen = ImageDraw.Draw(sheet)
    _draw_header(pen, heading)
    top = MARGIN + header
    for row, lines, height in zip(rows, captions, heights, strict=True):
        for place, explanation in enumerate(row):
            left = MARGIN + place * (CARD + 2 * GAP)
            for number, pixels in enumerate(pictures(explanation, preprocessing)):
                x = left + number * (SIDE + GAP) + (SIDE - pixels.shape[1]) // 2
                y = top + (SIDE - pixels.shape[0]) // 2
                pen.rectangle((x - 1, y - 1, x + pixels.shape[1], y + pixels.shape[0]), outline=FRAME)
                sheet.paste(Image.fromarray(pixels), (x, y))
            _draw_caption(pen, lines[place], left, top + SIDE + 8)
        top += height
    return sheet


Line = tuple[str, int, bool]
"""A line of a caption, its size, and whether it is bold."""


def _caption(explanation: Explanation) -> list[Line]:
    texts = [
        (explanation.prediction, 14, True),
        (f"{explanation.method}: {explanation.output}", 12, False),
        (explanation.name, 12, False),
    ]
    return [(line, size, bold) for text, size, bold in texts for line in wrap(text, font(size, bold), CARD)]


def _height(lines: Sequence[Line]) -> int:
    return sum(round(1.35 * size) for _, size, _ in lines)


def _draw_caption(pen: ImageDraw.ImageDraw, lines: Sequence[Line], left: int, top: int) -> None:
    for text, size, bold in lines:
        pen.text((left, top), text, INK if bold else FAINT, font(size, bold))
        top += round(1.35 * size)


def _draw_header(pen: ImageDraw.ImageDraw, heading: Sequence[str]) -> None:
    """Draw the title and the legend of the colors."""
    top = MARGIN - 8
    for line in heading:
        pen.text((MARGIN, top), line, INK, font(20, True))
        top += 26
    left = MARGIN
    for color, text in ((RAISES, "raises the output"), (LOWERS, "lowers it")):
        pen.rectangle((left, top + 6, left + 11, top + 17), color)
        pen.text((left + 18, top + 3), text, FAINT, font(13))
        left += 18 + round(font(13).getlength(text)) + 20
