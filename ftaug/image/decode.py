"""Encoded files to uint8 RGB pictures: which formats are read, which way is up, and JPEG at a smaller scale."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from ftaug.errors import BadData

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
MAX_PIXELS = 50_000_000
JPEG_SCALES = (1, 2, 4, 8)
JPEG_END = b"\xff\xd9"

cv2.setNumThreads(0)  # one picture, one thread: workers are what runs in parallel


class Turn(NamedTuple):
    """How stored pixels become upright: transpose, then mirror."""

    transpose: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """Turn an array (H, W, 3)."""
        if self.transpose:
            pixels = np.asarray(cv2.transpose(pixels))
        if self.mirror_x or self.mirror_y:
            both = self.mirror_x and self.mirror_y
            pixels = np.asarray(cv2.flip(pixels, -1 if both else int(self.mirror_x)))
        return pixels

    def matrix(self, height: float, width: float) -> np.ndarray:
        """The same for points: 3×3, from stored to upright; height and width are the upright ones."""
        matrix = np.eye(3)[[1, 0, 2]] if self.transpose else np.eye(3)
        if self.mirror_x:
            matrix[0] = [0, 0, width] - matrix[0]
        if self.mirror_y:
            matrix[1] = [0, 0, height] - matrix[1]
        return matrix


EXIF_TURNS = {
    1: Turn(),
    2: Turn(mirror_x=True),
    3: Turn(mirror_x=True, mirror_y=True),
    4: Turn(mirror_y=True),
    5: Turn(transpose=True),
    6: Turn(transpose=True, mirror_x=True),
    7: Turn(transpose=True, mirror_x=True, mirror_y=True),
    8: Turn(transpose=True, mirror_y=True),
}


@dataclass(frozen=True)
class Picture:
    """A picture not decoded yet: its size when upright, and how to get its pixels."""

    height: int
    width: int
    load: Callable[[int], np.ndarray]  # scale 1/n -> stored pixels, uint8 (ceil(H/n), ceil(W/n), 3)
    turn: Turn = EXIF_TURNS[1]  # from stored pixels to upright ones
    scales: tuple[int, ...] = (1,)  # the n that cost less to load than 1
    load_top: Callable[[int, int], np.ndarray] | None = None  # the same down to a row, or further, if that costs less

    def top(self, scale: int, rows: int) -> np.ndarray:
        """At least the first `rows` of the stored pixels at a scale: uint8 (rows or more, ceil(W/n), 3)."""
        return self.load_top(scale, rows) if self.load_top else self.load(scale)


def opened(raw: bytes | np.ndarray | Picture) -> Picture:
    """Look at a raw sample – an encoded file or uint8 pixels – without decoding it; raises BadData."""
    if isinstance(raw, Picture):
        return raw
    if isinstance(raw, np.ndarray):
        return _from_array(raw)
    return _plain_jpeg(raw) or _plain_png(raw) or _by_pillow(raw)


def decode(data: bytes, reduce: int = 1) -> np.ndarray:
    """Decode a file to upright uint8 (H, W, 3) RGB, at 1/reduce (1, 2, 4, 8) of its size; raises BadData."""
    picture = opened(data)
    if reduce == 1 or reduce in picture.scales:
        pixels = picture.load(reduce)
    else:
        pixels = np.asarray(Image.fromarray(picture.load(1)).reduce(reduce))
    return picture.turn.apply(pixels)


def probe(data: bytes) -> tuple[int, int]:
    """Height and width of the upright picture, from its header alone; raises BadData."""
    picture = opened(data)
    return picture.height, picture.width


def _from_array(pixels: np.ndarray) -> Picture:
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)):
        raise BadData(f"pixels must be uint8 of shape (H, W) or (H, W, 3); got {pixels.dtype} {pixels.shape}")
    _check_size(*pixels.shape[:2])
    rgb = np.ascontiguousarray(pixels) if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
    return Picture(pixels.shape[0], pixels.shape[1], lambda _: rgb)


def _check_size(height: int, width: int) -> None:
    if height < 1 or width < 1:
        raise BadData(f"an empty picture: {width}×{height}")
    if height * width > MAX_PIXELS:
        raise BadData(f"{width}×{height} is more than {MAX_PIXELS // 1_000_000} megapixels: shrink the picture first")


# JPEG, 8 bits, grey or three colours, complete: what OpenCV decodes to the same pixels as Pillow, in less time.


MOST_ROWS_OF_A_UNIT = 32
"""Blocks of eight rows, and a channel has at most four times as many in a unit as another."""


class _JpegHeader(NamedTuple):
    height: int
    width: int
    orientation: int
    scan_at: int
    height_at: int | None  # where the height stands, if one scan without marks in it holds all rows from top to bottom


def _plain_jpeg(data: bytes) -> Picture | None:
    """A picture for OpenCV to decode, or None where the header is in any way unusual."""
    header = _jpeg_header(data)
    # OpenCV fills what is missing with grey and says nothing; no other byte pair of a scan can look like its end.
    if header is None or data.rfind(JPEG_END, header.scan_at) < 0:
        return None
    turn = EXIF_TURNS.get(header.orientation, Turn())
    height, width = (header.width, header.height) if turn.transpose else (header.height, header.width)
    _check_size(height, width)

    def load(scale: int) -> np.ndarray:
        return _load_jpeg(np.frombuffer(data, np.uint8), scale)

    def load_top(scale: int, rows: int) -> np.ndarray:
        return _load_jpeg(_down_to(scale * rows, header, data), scale)

    return Picture(height, width, load, turn, JPEG_SCALES, load_top)


def _down_to(rows: int, header: _JpegHeader, data: bytes) -> np.ndarray:
    """A file that is decoded down to a row, or some further, to the same pixels: codes below are not read.

    A unit more than has these rows, for colours are smoothed across the border of two. Without its end the file has no
    mark that comes too early, of which libjpeg would complain.
    """
    height = MOST_ROWS_OF_A_UNIT * (rows // MOST_ROWS_OF_A_UNIT + 2)
    if header.height_at is None or height >= header.height or not data.endswith(JPEG_END):
        return np.frombuffer(data, np.uint8)
    lower = np.frombuffer(data, np.uint8, len(data) - len(JPEG_END)).copy()
    lower[header.height_at : header.height_at + 2] = divmod(height, 256)
    return lower


def _load_jpeg(data: np.ndarray, scale: int) -> np.ndarray:
    reduced = {
        1: 0,
        2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
        4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
        8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
    }
    flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION | reduced[scale]
    pixels: np.ndarray | None = cv2.imdecode(data, flags)
    if pixels is None:
        raise BadData("broken JPEG")
    return pixels


def _jpeg_header(data: bytes) -> _JpegHeader | None:
    """Read the segments up to the scan; None unless they are those of a plain JPEG."""
    if not data.startswith(b"\xff\xd8\xff"):
        return None
    at = 2
    size: tuple[int, int] | None = None
    orientation = from_xmp = None
    height_at: int | None = None
    channels, marked = 0, False
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xFF:  # padding
            at += 1
            continue
        body = data[at + 4 : at + 2 + length]
        if marker == 0xDA:
            straight = not marked and body[:1] == bytes([channels])
            found_at = height_at if straight else None
            return _JpegHeader(size[0], size[1], orientation or from_xmp or 1, at, found_at) if size else None
        if marker in (0xC0, 0xC1, 0xC2):  # baseline, extended, progressive
            if len(body) < 6 or body[0] != 8 or body[5] not in (1, 3):
                return None
            size, channels = struct.unpack(">HH", body[1:5]), body[5]
            height_at = at + 5 if marker != 0xC2 else None
        elif marker == 0xE1 and body.startswith(b"Exif\0\0"):
            orientation = orientation or _exif_orientation(body[6:])
        elif marker == 0xE1 and (found := re.search(rb'tiff:Orientation(?:="|>)([1-8])', body)):
            from_xmp = int(found[1])
        elif marker == 0xDD or (marker == 0xE2 and body.startswith(b"MPF\0")):  # restarts, or more pictures behind it
            marked = True
        elif marker == 0xD8 or marker < 0xC0 or (0xC3 <= marker <= 0xCF and marker != 0xC4):
            return None
        at += 2 + length
    return None


def _exif_orientation(tiff: bytes) -> int | None:
    """The orientation in an EXIF block; None where there is none or the block is broken."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    try:
        if order is None:
            return None
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (entries,) = struct.unpack_from(order + "H", tiff, start)
        for entry in range(start + 2, start + 2 + 12 * entries, 12):
            tag, _, _, value = struct.unpack_from(order + "HHIH", tiff, entry)
            if tag == 0x0112:
                return int(value) if value in EXIF_TURNS else None
    except struct.error:
        pass
    return None


# PNG, 8 bits, grey or three colours, whole, and nothing in it that turns or blends: the same, in half the time.

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PLAIN_CHUNKS = {b"IHDR", b"IDAT", b"IEND", b"pHYs", b"sRGB", b"tIME"}


def _plain_png(data: bytes) -> Picture | None:
    """A picture for OpenCV to decode, or None where a chunk is unusual, damaged or missing."""
    if not data.startswith(PNG_SIGNATURE) or data[12:16] != b"IHDR":
        return None
    width, height, depth, colours, *_, interlaced = struct.unpack(">2I5B", data[16:29].ljust(13, b"\xff"))
    if depth != 8 or colours not in (0, 2) or interlaced or not _are_plain_and_whole(data):
        return None
    _check_size(height, width)
    return Picture(height, width, lambda _: _load_png(data))


def _are_plain_and_whole(data: bytes) -> bool:
    """Whether all chunks up to the end are of the usual kinds and have their checksums."""
    at, kind = len(PNG_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 8 + length
        if kind not in PLAIN_CHUNKS or int.from_bytes(data[end : end + 4], "big") != zlib.crc32(data[at + 4 : end]):
            return False
        at = end + 4
    return True


def _load_png(data: bytes) -> np.ndarray:
    pixels: np.ndarray | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    return _by_pillow(data).load(1) if pixels is None else pixels  # Pillow says what is wrong with it


# Everything else: Pillow.


def _by_pillow(data: bytes) -> Picture:
    if not data:
        raise BadData("an empty file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns where our own limit refuses
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            orientation = _orientation(image)
            if (
                orientation is None
            ):  # Pillow may have begun to read pixels, and would not say a second time that it fails
                image, orientation = Image.open(io.BytesIO(data), formats=FORMATS), 1
    except Image.DecompressionBombError as error:
        raise BadData(f"more than {MAX_PIXELS // 1_000_000} megapixels: shrink the picture first") from error
    except UnidentifiedImageError as error:
        raise BadData(f"not a picture: {_beginning(data)}; read are {', '.join(FORMATS)}") from error
    except MemoryError:
        raise
    except Exception as error:  # a parser of hostile bytes may raise anything
        raise _broken("picture", error, data) from error
    width, height = _stored_size(image)
    _check_size(height, width)
    if EXIF_TURNS[orientation].transpose:
        width, height = height, width
    return Picture(height, width, lambda _: _load_by_pillow(image, data))


def _stored_size(image: Image.Image) -> tuple[int, int]:
    """Width and height before EXIF; newer Pillow gives a TIFF's upright size at once."""
    return (image.tag_v2[256], image.tag_v2[257]) if isinstance(image, TiffImageFile) else image.size


def _orientation(image: Image.Image) -> int | None:
    """How the picture is turned; None where that cannot be read."""
    try:
        orientation = image.getexif().get(0x0112, 1)
    except Exception:  # a broken EXIF block must not cost the picture
        return None
    return orientation if orientation in EXIF_TURNS else 1


def _load_by_pillow(image: Image.Image, data: bytes) -> np.ndarray:
    try:
        return _to_rgb(_upright(image))
    except (BadData, MemoryError):
        raise
    except Exception as error:  # a parser of hostile bytes may raise anything
        raise _broken(image.format or "picture", error, data) from error


def _broken(kind: str, error: Exception, data: bytes) -> BadData:
    """Say whether a file is cut short (what Pillow knows, and the length in a WebP's header) or otherwise broken."""
    is_short = data[:4] == b"RIFF" and int.from_bytes(data[4:8], "little") + 8 > len(data)
    cut = is_short or isinstance(error, EOFError) or "trunc" in str(error).lower()
    return BadData(f"{'truncated' if cut else 'broken'} {kind}: {error}")


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a broken EXIF block must not cost the picture
        return image


def _to_rgb(image: Image.Image) -> np.ndarray:
    """To 8-bit RGB: 16-bit greys are scaled, transparency is laid on white."""
    if image.mode.startswith("I;16"):
        return _grey(np.asarray(image).astype(np.float64) * (255 / 65535))
    if image.mode in ("I", "F"):
        return _grey(_from_wide(np.asarray(image).astype(np.float64), image.mode == "F"))
    if image.has_transparency_data:
        coloured = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return np.asarray(Image.alpha_composite(white, coloured).convert("RGB"))
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _from_wide(values: np.ndarray, is_float: bool) -> np.ndarray:
    """32-bit values to 0…255: floats up to 1 are shares of white, others 8-bit if they fit, else 16-bit."""
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 65535):
        raise BadData(f"32-bit values from {low:g} to {high:g} have no known white: save the picture with 8 or 16 bits")
    white = 1 if is_float and high <= 1 else 255 if high <= 255 else 65535
    return values * (255 / white)


def _grey(values: np.ndarray) -> np.ndarray:
    return np.repeat(np.rint(values).astype(np.uint8)[..., None], 3, axis=2)


def _beginning(data: bytes) -> str:
    text = data[:24].decode("utf-8", "replace").split("\n")[0].strip()
    return f"it begins with '{text}'" if text.isprintable() and text else f"it begins with {data[:8].hex(' ')}"
