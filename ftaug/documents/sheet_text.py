"""Write texts on sheets of pictures: wrapped to their room, and never cut."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import ImageDraw, ImageFont

from ftaug.errors import printable


@cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Load DejaVu Sans from matplotlib, which covers more scripts than Pillow's default font."""
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)), size)


def wrap(text: str, face: ImageFont.FreeTypeFont, room: int) -> list[str]:
    """Wrap a text at spaces, and within words that are longer than a line."""
    lines: list[str] = []
    for word in printable(text).replace("\n", " ").split(" "):
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and face.getlength(joined) <= room:
            lines[-1] = joined
            continue
        while face.getlength(word) > room:
            count = next(n for n in range(len(word), 0, -1) if n == 1 or face.getlength(word[:n]) <= room)
            count = _end_of_part(word, count)
            lines.append(word[:count])
            word = word[count:]
        lines.append(word)
    return lines


def _end_of_part(word: str, count: int) -> int:
    """Return where the last part of a name ends among its first characters, if that is in their second half."""
    end = 1 + max(word.rfind(separator, 0, count) for separator in "_-./")
    return end if end > count // 2 else count


def fitting_size(text: str, sizes: Sequence[int], room: int) -> int:
    """Return the largest bold size in which every word of a text fits the room, or the smallest."""
    longest = max(text.split(" "), key=len)
    return next((size for size in sizes if font(size, True).getlength(longest) <= room), sizes[-1])


def height(text: str, size: int, room: int, *, bold: bool = False) -> int:
    """Return the height in pixels of a wrapped text; of no text 0."""
    return round(1.3 * size) * len(wrap(text, font(size, bold), room)) if text else 0


def write(
    pen: ImageDraw.ImageDraw, x: int, y: int, text: str, size: int, room: int, color: str, *, bold: bool = False
) -> int:
    """Draw a wrapped text; return the y coordinate below it."""
    for line in wrap(text, font(size, bold), room) if text else []:
        pen.text((x, y), line, color, font(size, bold))
        y += round(1.3 * size)
    return y
