"""Sounds as content of a report: pictures of their spectrograms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ftaug.audio.clip import Clip
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
    """Return the spectrogram of a sound: predictions for sounds are not explained yet."""
    return report_item(explanation.raw, caption)
