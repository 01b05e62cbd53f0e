"""Images as content of a report: thumbnails, with a map below them if the prediction is explained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ftaug.attribution.sheet import stacked
from ftaug.documents.thumbnail import encoded, fitted
from ftaug.image.explanation.explanation import pictures
from ftaug.image.io.decode import opened
from ftaug.image.io.picture import Picture as ImageFile
from ftaug.image.preview.preview import SIDE
from ftaug.interfaces.document import Picture
from ftaug.interfaces.explanation import Explanation


def report_item(raw: bytes | np.ndarray | ImageFile, caption: str) -> Picture:
    """Return an image as a thumbnail; raises BadData."""
    picture = opened(raw)
    large_enough = [scale for scale in picture.scales if max(picture.height, picture.width) >= scale * SIDE]
    pixels = picture.turn.apply(picture.load(max(large_enough, default=1)))
    return Picture(*encoded(fitted(pixels, SIDE)), alt=caption, caption=caption)


def explained_item(explanation: Explanation, preprocessing: Mapping[str, Any], caption: str) -> Picture:
    """Return an image as a thumbnail, with its map below."""
    pixels = stacked(pictures(explanation, preprocessing, SIDE))
    alt = f"{caption}; above the image, below what raises the output in orange and lowers it in blue"
    return Picture(*encoded(pixels), alt=alt, caption=caption)
