"""Image implementation of `ftaug doctor`: sketches of pictures, and near duplicates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import cv2
import numpy as np

from ftaug.image import near_duplicates
from ftaug.image.datasets.index import FileSamples
from ftaug.image.io.decode import opened
from ftaug.image.io.encode import SUFFIX, encode
from ftaug.image.io.picture import Picture
from ftaug.image.near_duplicates import SIDE
from ftaug.interfaces.data import Samples
from ftaug.interfaces.data_health import Rows, SheetRow, Sketch

noun = "image"
sketch_size = SIDE * SIDE
DECODED_SIDE = 64
"""Minimum side in pixels to which a JPEG is decoded at a reduced scale."""

fact_names = ("width", "height", "bytes")
table = "image_table"


def sketch(raw: bytes | np.ndarray | Picture) -> Sketch:
    """Digest a picture, and reduce it to 32×32 gray levels; raises BadData."""
    picture = opened(raw)
    pixels = _reduced(picture, DECODED_SIDE)
    small = cv2.cvtColor(cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    content = raw if isinstance(raw, bytes) else picture.load(1)
    size = len(content) if isinstance(content, bytes) else 0
    return Sketch(_digest(content), small.ravel(), (picture.width, picture.height, size))


def _digest(content: bytes | np.ndarray) -> bytes:
    data = content if isinstance(content, bytes) else f"{content.shape} ".encode() + content.tobytes()
    return blake2b(data, digest_size=16).digest()


def _reduced(picture: Picture, side: int) -> np.ndarray:
    """Decode a picture, where that costs less at a reduced scale that leaves at least `side` pixels of each side."""
    enough = [scale for scale in picture.scales if min(picture.height, picture.width) >= scale * side]
    return picture.turn.apply(picture.load(max(enough, default=1)))


def candidates(values: Rows) -> np.ndarray:
    """Return pairs of pictures that may be near duplicates, by their hashes: int64 (pairs, 2)."""
    return near_duplicates.candidates(values)


def near_duplicate(first: bytes | np.ndarray | Picture, second: bytes | np.ndarray | Picture) -> bool:
    """Whether two pictures are copies but for compression, size, a crop to 90 % or more, or a slight edit."""
    side = 2 * near_duplicates.COMPARED_SIDE
    return near_duplicates.is_near_duplicate(*(_reduced(opened(raw), side) for raw in (first, second)))


def cells(samples: Samples, index: int, folder: Path) -> dict[str, str]:
    """Return the absolute path of a picture; one in memory is written as PNG below the folder."""
    if isinstance(samples, FileSamples):
        return {"path": str(Path(samples.name(index)).absolute())}
    path = folder / (re.sub(r"\W+", "-", samples.name(index)).strip("-") + SUFFIX)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(opened(samples.read(index)).load(1)))
    return {"path": str(path.absolute())}


def sheet(rows: Sequence[SheetRow], title: str, subtitle: str) -> bytes:
    """Draw a contact sheet of pictures, each row with up to eight, as PNG."""
    from ftaug.documents import contact_sheet

    return contact_sheet.draw_rows(rows, lambda raw: _reduced(opened(raw), contact_sheet.CELL), title, subtitle)
