"""Decoding of image files for exports: as machine-readable steps, and as a function that needs only Pillow and NumPy.

The source of the function is copied into the exported scripts, so it uses only `VALUE_RANGE` of this package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from ftaug.image.io.grayscale import ValueRange
from ftaug.image.io.pillow import FORMATS

VALUE_RANGE: ValueRange | None = None
"""(black, white) of grayscale images of more than 8 bits, if the data set defines it."""


def steps(value_range: ValueRange | None) -> list[dict[str, Any]]:
    """Return the decoding steps before the resize, in order, as JSON values."""
    known = {"black": 0, "white": "2**bits - 1", "max_bits": 16, "sample_format": "unsigned"}
    levels = known if value_range is None else {"black": value_range[0], "white": value_range[1]}
    return [
        {"step": "open", "formats": list(FORMATS), "frame": 0, "scale": 1, "color_profile": "ignored"},
        {"step": "exif_transpose", "tag": 274},
        {"step": "gray_levels", "when": "one channel of more than 8 bits, or not unsigned", **levels, "round": "even"},
        {"step": "invert", "when": "the step gray_levels was taken and a TIFF says WhiteIsZero"},
        {"step": "composite", "when": "transparency: alpha, color key or palette", "background": [255, 255, 255]},
        {"step": "convert", "mode": "RGB", "dtype": "uint8", "layout": "HWC"},
    ]


def decode(path: str) -> np.ndarray:
    """Decode a file at full size to upright RGB pixels, uint8 (height, width, 3)."""
    with Path(path).open("rb") as file:  # Pillow scrambles some turned TIFFs that it opens by their names
        opened = Image.open(file)
        tags = getattr(opened, "tag_v2", {})  # of a TIFF
        image = ImageOps.exif_transpose(opened)
    bits, sample_format = tags.get(258, (16,))[0], tags.get(339, (1,))[0]
    if image.mode[0] in "IF" or sample_format != 1:  # gray of more than 8 bits
        if bits == 8 or (VALUE_RANGE is None and (bits > 16 or sample_format != 1)):
            raise ValueError(f"{path}: which values are black and white is not known; save it with 8 or 16 bits")
        black, white = VALUE_RANGE or (0, 2**bits - 1)
        levels = np.rint((np.asarray(image, np.float64) - black) * (255 / (white - black))).clip(0, 255)
        image = Image.fromarray((255 - levels if tags.get(262) == 0 else levels).astype(np.uint8))
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return np.asarray(image.convert("RGB"))
