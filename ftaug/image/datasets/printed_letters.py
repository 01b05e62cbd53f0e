"""Synthetic dataset of printed letters, drawn with matplotlib's fonts, for pretraining without a download."""

from __future__ import annotations

import itertools
import string
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ftaug.config.types import Count, CountOrZero, NonNegative, Probability
from ftaug.data.subsample import few_per_class
from ftaug.errors import MissingInput
from ftaug.image import dataset
from ftaug.image.datasets.arrays import ArraySamples, fingerprint
from ftaug.interfaces.data import Task

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

LETTERS = tuple(string.ascii_uppercase + string.ascii_lowercase)
FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    *("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-BoldOblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
    *("STIXGeneral", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmti10", "cmmi10", "cmtt10"),
)
TEST_FONTS = ("DejaVuSansMono-Oblique", "DejaVuSerif-BoldItalic", "STIXGeneralBol", "cmss10")
_CANVAS, _MARGIN = 32, 1
_DRAWN = "46dbefed2e0a25b679992bb00ca83dae37c5bb2328f7c2a1f040840fc0e10da0"
"""Fingerprint of two letters of each font with matplotlib 3.11 and Pillow 13, which documented figures used."""
_VAL_EVERY = 7  # of the (font, size) pairs, one in so many is for validation


@dataset.register(tasks=("single_label",))
def printed_letters(
    split: str,
    *,
    sizes: tuple[Count, ...] = (26, 34, 42),
    strokes: tuple[NonNegative, ...] = (0.0, 0.7, 1.4),
    softness: Probability = 0.5,
    per_class: Count | None = None,
    subset_seed: CountOrZero = 0,
) -> ArraySamples:
    """The letters A–Z and a–z in 22 printed fonts: 52 classes of 32×32 gray pixels, light on black.

    Settings:
        sizes: heights of the font in pixels; a glyph that would not fit is drawn as large as fits
        strokes: how many pixels the strokes are thickened by, each drawn once
        softness: the share of pictures that were reduced to 8 to 16 pixels and enlarged again, as if scanned coarsely
        per_class: use only that many pictures of each class for training; validation and test stay whole
        subset_seed: which pictures `per_class` chooses

    Training and validation share fonts, but no pair of font and size; the test split has fonts of its own.
    Reads uint8 (32, 32), the same in every run. Source: the fonts of matplotlib (DejaVu, STIX, Computer Modern).
    """
    pictures = np.stack(
        [
            _draw(letter, face, stroke)
            for face in map(_face, _pairs(split, sizes))
            for stroke in strokes
            for letter in LETTERS
        ]
    )
    _soften(pictures, softness, seed=("train", "val", "test").index(split))
    targets = np.arange(len(pictures)) % len(LETTERS)
    positions = np.arange(len(pictures))
    if split == "train" and per_class is not None:
        positions = few_per_class("printed_letters", targets, per_class, subset_seed)
        pictures, targets = pictures[positions], targets[positions]
    digest = fingerprint(pictures, targets)
    return ArraySamples(f"printed_letters.{split}", pictures, targets, Task(LETTERS), positions, digest, _notes())


def _notes() -> tuple[str, ...]:
    """Return a note if the installed fonts or Pillow draw other images than those of the documented figures."""
    faces = [_face((font, 34)) for font in (*FONTS, *TEST_FONTS)]
    letters = np.stack([_draw(letter, face, 0.7) for face in faces for letter in "Qg"])
    _soften(letters, 0.5, seed=0)
    if fingerprint(letters) == _DRAWN:
        return ()
    versions = f"matplotlib {version('matplotlib')} and Pillow {version('pillow')}"
    return (f"{versions} draw other pictures than those that the documentation's figures were measured on",)


def _pairs(split: str, sizes: tuple[int, ...]) -> list[tuple[str, int]]:
    """Return the (font, size) pairs of a split."""
    if split == "test":
        return list(itertools.product(TEST_FONTS, sizes))
    pairs = list(itertools.product(FONTS, sizes))
    return [pair for i, pair in enumerate(pairs) if (i % _VAL_EVERY == _VAL_EVERY // 2) == (split == "val")]


def _face(pair: tuple[str, int]) -> FreeTypeFont:
    """Load a font of matplotlib at a size."""
    import matplotlib
    from PIL import ImageFont

    font, size = pair
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{font}.ttf")
    if not path.is_file():
        raise MissingInput(f"printed_letters: matplotlib's font {path} is missing; reinstall matplotlib")
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def _draw(letter: str, face: FreeTypeFont, stroke: float) -> np.ndarray:
    """Draw a letter, centered, white on black: uint8 (32, 32)."""
    from PIL import Image, ImageDraw

    side = int(3 * (face.size + stroke))
    picture = Image.new("L", (side, side))
    ImageDraw.Draw(picture).text((side / 3, side / 3), letter, fill=255, font=face, stroke_width=stroke)
    left, top, right, bottom = picture.getbbox() or (0, 0, 1, 1)
    extent, room = max(right - left, bottom - top), _CANVAS - 2 * _MARGIN
    if extent > room:
        return _draw(letter, face.font_variant(size=face.size * (room - 0.5) / extent), stroke)
    corner = ((left + right - _CANVAS) // 2, (top + bottom - _CANVAS) // 2)
    return np.asarray(picture.crop((*corner, corner[0] + _CANVAS, corner[1] + _CANVAS)))


def _soften(pictures: np.ndarray, share: float, seed: int) -> None:
    """Downscale a share of the images, in place, to a random 8 to 16 pixels and upscale them again."""
    from PIL import Image

    rng = np.random.Generator(np.random.Philox(seed))
    coarse = rng.integers(8, 17, len(pictures))
    for index in np.flatnonzero(rng.random(len(pictures)) < share):
        small = Image.fromarray(pictures[index]).resize((int(coarse[index]),) * 2, Image.Resampling.BOX)
        pictures[index] = small.resize((_CANVAS, _CANVAS), Image.Resampling.BILINEAR)
