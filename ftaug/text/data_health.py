"""Text implementation of `ftaug doctor`: sketches of texts, and near duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np

from ftaug.interfaces.data import Samples
from ftaug.interfaces.data_health import Rows, SheetRow, Sketch
from ftaug.text import near_duplicates
from ftaug.text.types import Text

noun = "text"
sketch_size = 4 * near_duplicates.HASHES
fact_names = ("characters",)
table = "text_table"


def sketch(raw: Text) -> Sketch:
    """Digest a text, and compute its MinHash values."""
    texts = [text.encode() for text in raw if text is not None]
    content = b"".join(b"%d %b" % (len(text), text) for text in texts)
    length = sum(len(text) for text in raw if text is not None)
    values = near_duplicates.min_hashes(raw).view(np.uint8)
    return Sketch(blake2b(content, digest_size=16).digest(), values, (length,))


def candidates(values: Rows) -> np.ndarray:
    """Return pairs of texts that may be near duplicates: int64 (pairs, 2)."""
    return near_duplicates.candidates(values)


def near_duplicate(first: Text, second: Text) -> bool:
    """Whether two texts share most of their shingles of 8 characters."""
    return near_duplicates.similarity(first, second) >= near_duplicates.ALIKE


def cells(samples: Samples, index: int, folder: Path) -> dict[str, str]:
    """Return the text as the cell `text`, that of a pair also as `text_2`."""
    text: Text = samples.read(index)
    return {"text": text.first} if text.second is None else {"text": text.first, "text_2": text.second}


def sheet(rows: Sequence[SheetRow], title: str, subtitle: str) -> None:
    """Draw nothing: texts are read in the table."""
