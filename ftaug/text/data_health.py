"""Text implementation of `ftaug doctor`: sketches of texts, and near duplicates."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from ftaug.interfaces.data_health import Sketch
from ftaug.text.types import Text

noun = "text"
sketch_size = 4
fact_names = ("characters",)


def sketch(raw: Text) -> Sketch:
    """Digest a text."""
    texts = [text.encode() for text in raw if text is not None]
    data = b"".join(b"%d %b" % (len(text), text) for text in texts)
    length = sum(len(text) for text in raw if text is not None)
    return Sketch(blake2b(data, digest_size=16).digest(), np.zeros(sketch_size, np.uint8), (length,))


def candidates(values: np.ndarray) -> np.ndarray:
    """Return pairs of texts that may be near duplicates."""
    return np.empty((0, 2), np.int64)


def near_duplicate(first: Text, second: Text) -> bool:
    """Compare two texts."""
    return False
