"""Decode images of all supported formats with Pillow."""

from __future__ import annotations

import io
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from ftaug.data.beginning import beginning
from ftaug.errors import BadData
from ftaug.image.io.grayscale import ValueRange, gray, to_levels
from ftaug.image.io.picture import EXIF_TURNS, MAX_PIXELS, Picture, check_size

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def by_pillow(data: bytes, value_range: ValueRange | None = None) -> Picture:
    """Return a picture decoded by Pillow; raises BadData, also when its pixels are loaded."""
    if not data:
        raise BadData("an empty file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns where our own limit refuses
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            orientation = _orientation(image)
            if orientation is None:  # Pillow may have begun to read pixels, and would not fail a second time
                image, orientation = Image.open(io.BytesIO(data), formats=FORMATS), 1
    except Image.DecompressionBombError as error:
        raise BadData(f"more than {MAX_PIXELS // 1_000_000} megapixels: shrink the picture first") from error
    except UnidentifiedImageError as error:
        if data[:4] in TIFF_SIGNATURES:
            raise BadData("an unsupported kind of TIFF: save it with 8 bits per channel") from error
        raise BadData(f"not a picture: {beginning(data)}; supported: {', '.join(FORMATS)}") from error
    except MemoryError:
        raise
    except Exception as error:  # a parser of hostile bytes may raise anything
        raise _broken("picture", error, data) from error
    width, height = _stored_size(image)
    check_size(height, width)
    if EXIF_TURNS[orientation].transpose:
        width, height = height, width
    return Picture(height, width, lambda _: _load(image, data, value_range))


def _stored_size(image: Image.Image) -> tuple[int, int]:
    """Return width and height before the EXIF orientation; newer Pillow reports the upright size of a TIFF."""
    return (image.tag_v2[256], image.tag_v2[257]) if isinstance(image, TiffImageFile) else image.size


def _orientation(image: Image.Image) -> int | None:
    """Return the EXIF orientation (1–8); None if it cannot be read."""
    try:
        orientation = image.getexif().get(0x0112, 1)
    except Exception:  # a broken EXIF block must not cost the picture
        return None
    return orientation if orientation in EXIF_TURNS else 1


def _load(image: Image.Image, data: bytes, value_range: ValueRange | None) -> np.ndarray:
    try:
        return _to_rgb(_upright(image), value_range)
    except (BadData, MemoryError):
        raise
    except Exception as error:  # a parser of hostile bytes may raise anything
        raise _broken(image.format or "picture", error, data) from error


def _broken(kind: str, error: Exception, data: bytes) -> BadData:
    """Return the error of a truncated (by Pillow's error or a WebP's header) or otherwise broken file."""
    is_short = data[:4] == b"RIFF" and int.from_bytes(data[4:8], "little") + 8 > len(data)
    cut = is_short or isinstance(error, EOFError) or "trunc" in str(error).lower()
    return BadData(f"{'truncated' if cut else 'broken'} {kind}: {error}")


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a broken EXIF block must not cost the picture
        return image


def _to_rgb(image: Image.Image, value_range: ValueRange | None) -> np.ndarray:
    """Convert to 8-bit RGB: scale grayscale of more than 8 bits, composite transparency on white."""
    if image.mode.startswith("I;16"):
        return gray(to_levels(np.asarray(image), value_range or (0, 65535)))
    if image.mode in ("I", "F"):
        return gray(to_levels(np.asarray(image), value_range))
    if image.has_transparency_data:
        colored = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return np.asarray(Image.alpha_composite(white, colored).convert("RGB"))
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
