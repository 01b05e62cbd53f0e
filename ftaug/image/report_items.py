"""Images as content of a report: thumbnails, with a map below them if the prediction is explained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ftaug.documents.thumbnail import encoded, fitted
from ftaug.image.explanation.sheet import pictures
from ftaug.image.io.decode import opened
from ftaug.image.io.picture import Picture as ImageFile
from ftaug.image.preview.preview import SIDE
from ftaug.interfaces.document import Picture
from ftaug.interfaces.explanation import Explanation

GAP = 4


def report_item(raw: bytes | np.ndarray | ImageFile, caption: str) -> Picture:
    """Return an image as a thumbnail; raises BadData."""
    picture = opened(raw)
    large_enough = [scale for scale in picture.scales if max(picture.height, picture.width) >= scale * SIDE]
    pixels = picture.turn.apply(picture.load(max(large_enough, default=1)))
    return Picture(*encoded(fitted(pixels, SIDE)), alt=caption, caption=caption)


def explained_item(explanation: Explanation, preprocessing: Mapping[str, Any], caption: str) -> Picture:
    """Return an image as a thumbnail, with its map below."""
    image, overlaid = pictures(explanation, preprocessing, SIDE)
    gap = np.full((GAP, image.shape[1], 3), 255, np.uint8)
    alt = f"{caption}; above the image, below what raises the output in orange and lowers it in blue"
    return Picture(*encoded(np.concatenate([image, gap, overlaid])), alt=alt, caption=caption)
