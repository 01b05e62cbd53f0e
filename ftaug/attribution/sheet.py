"""Show explained samples as pictures, each as it is and under its map: on a sheet, or in an HTML page."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from ftaug.attribution.page import page
from ftaug.documents.contact_sheet import FAINT, INK, PAPER
from ftaug.documents.palette import LOWERS, RAISES
from ftaug.documents.sheet_text import font, wrap
from ftaug.interfaces.explanation import Explanation

SIDE, GAP, MARGIN = 224, 12, 28
ON_PAGE = 320
"""Longer side of pictures on an HTML page, in pixels."""
ABREAST = 2
"""Explained samples side by side on a sheet."""

CARD = 2 * SIDE + GAP
FRAME = "#d5dae1"
STACKED_GAP = 4


Pictures = Sequence[np.ndarray]
"""A sample as it is and under its map, each uint8 (H, W, 3)."""


def render(
    explanations: Sequence[Explanation], pictures: Callable[[Explanation, int], Pictures], title: str, suffix: str
) -> bytes:
    """Return the content of a PNG sheet, or of an HTML page; `pictures` draws a sample with its longer side given."""
    if suffix == ".html":
        return page(title, ((each, _body(pictures(each, ON_PAGE))) for each in explanations)).encode()
    content = io.BytesIO()
    draw(explanations, [pictures(each, SIDE) for each in explanations], title).save(content, "PNG")
    return content.getvalue()


def _body(pictures: Pictures) -> str:
    """Return the pictures as HTML."""
    images = (
        f'<img src="data:image/png;base64,{base64.b64encode(_png(pixels)).decode()}" alt="{kind}">'
        for pixels, kind in zip(pictures, ("sample", "map"), strict=True)
    )
    return f'<div class="pictures">{"".join(images)}</div>'


def stacked(pictures: Pictures) -> np.ndarray:
    """Return one picture: the sample, and below it the map."""
    above, below = pictures
    return np.concatenate([above, np.full((STACKED_GAP, above.shape[1], 3), 255, np.uint8), below])


def _png(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def draw(explanations: Sequence[Explanation], pictures: Sequence[Pictures], title: str) -> Image.Image:
    """Draw the sheet; names are wrapped, never cut."""
    abreast = min(ABREAST, len(explanations))
    pairs = [*zip(explanations, pictures, strict=True)]
    rows = [pairs[start : start + abreast] for start in range(0, len(pairs), abreast)]
    captions = [[_caption(each) for each, _ in row] for row in rows]
    heights = [SIDE + 8 + max(_height(lines) for lines in row) + 2 * GAP for row in captions]
    width = 2 * MARGIN + abreast * (CARD + 2 * GAP) - 2 * GAP
    heading = wrap(title, font(20, True), width - 2 * MARGIN)
    header = 26 * len(heading) + 30
    sheet = Image.new("RGB", (width, 2 * MARGIN + header + sum(heights)), PAPER)
    pen = ImageDraw.Draw(sheet)
    _draw_header(pen, heading)
    top = MARGIN + header
    for row, lines, height in zip(rows, captions, heights, strict=True):
        for place, (_, drawn) in enumerate(row):
            left = MARGIN + place * (CARD + 2 * GAP)
            for number, pixels in enumerate(drawn):
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
