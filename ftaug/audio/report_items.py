"""Sounds as content of a report: pictures of their spectrograms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftaug.attribution.sheet import stacked
from ftaug.audio.clip import Clip
from ftaug.audio.explanation.explanation import pictures
from ftaug.audio.picture import whole
from ftaug.documents.thumbnail import encoded, fitted
from ftaug.interfaces.document import Picture
from ftaug.interfaces.explanation import Explanation

SIDE = 240
"""Longer side of pictures in pixels."""


def report_item(raw: Clip, caption: str) -> Picture:
    """Return the spectrogram of a sound; raises BadData, MissingInput."""
    return Picture(*encoded(fitted(whole(raw), SIDE)), alt=f"spectrogram: {caption}", caption=caption)


def explained_item(explanation: Explanation, preprocessing: Mapping[str, Any], caption: str) -> Picture:
    """Return the spectrogram of a sound, with its map below."""
    pixels = stacked(pictures(explanation, preprocessing, SIDE))
    alt = f"spectrogram: {caption}; below what raises the output in orange and lowers it in blue"
    return Picture(*encoded(pixels), alt=alt, caption=caption)
