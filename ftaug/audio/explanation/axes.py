"""Draw a spectrogram with its axes of time and frequency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image, ImageDraw

from ftaug.documents.axis import Axis
from ftaug.documents.contact_sheet import FAINT
from ftaug.documents.sheet_text import font

LEFT, BOTTOM, SIZE = 42, 16, 9
"""Room for the labels in pixels, and the size of their letters."""
TICK = 3
OCTAVES = tuple(125.0 * 2**octave for octave in range(9))
"""Frequencies in Hz that are marked where there is room."""
LINE = 13
"""Smallest distance of labels above one another."""


def plot_size(side: int) -> tuple[int, int]:
    """Return the height and width of the spectrogram in a drawing of this width: three to four."""
    width = side - LEFT
    return round(width * 0.75), width


def with_axes(plot: np.ndarray, seconds: tuple[float, float], hertz: np.ndarray) -> np.ndarray:
    """Add axes to a spectrogram, uint8 (H, W, 3), low bands below; `hertz` are the centers of its bands, ascending."""
    height, width = plot.shape[:2]
    drawn = Image.new("RGB", (width + LEFT, height + BOTTOM), "#ffffff")
    drawn.paste(Image.fromarray(plot), (LEFT, 0))
    pen = ImageDraw.Draw(drawn)
    for y, label in _frequencies(height, hertz):
        pen.line((LEFT - TICK, y, LEFT - 1, y), FAINT)
        pen.text((LEFT - TICK - 2, y), label, FAINT, font(SIZE), anchor="rm")
    axis = Axis(*seconds, LEFT, LEFT + width - 1)
    for tick in axis.ticks(4):
        x, label = axis.position(tick), f"{tick:g} s"
        pen.line((x, height, x, height + TICK), FAINT)
        half = font(SIZE).getlength(label) / 2
        pen.text((min(max(x, half), LEFT + width - half), height + TICK + 1), label, FAINT, font(SIZE), anchor="ma")
    return np.asarray(drawn)


def _frequencies(height: int, hertz: np.ndarray) -> Iterator[tuple[float, str]]:
    """Yield the rows and labels of frequencies from the highest on, none above another."""
    last = -float(LINE)
    for frequency in _inside(hertz):
        row = float(np.interp(frequency, hertz, np.arange(len(hertz)) + 0.5))
        y = height * (1 - row / len(hertz))
        if LINE / 2 <= y <= height - LINE / 2 and y - last >= LINE:
            last = y
            yield y, f"{frequency / 1000:g} kHz" if frequency >= 1000 else f"{frequency:g} Hz"


def _inside(hertz: np.ndarray) -> Sequence[float]:
    return [frequency for frequency in reversed(OCTAVES) if hertz[0] <= frequency <= hertz[-1]]
