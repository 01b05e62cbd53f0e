"""Decode grayscale TIFF files of more than 8 bits with OpenCV: Pillow reads only some, and ignores WhiteIsZero."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from ftaug.errors import BadData
from ftaug.image.io.grayscale import ValueRange, gray, to_levels
from ftaug.image.io.picture import EXIF_TURNS, Picture, check_size
from ftaug.image.io.pillow import TIFF_SIGNATURES

LAYOUTS = (("<", "HHI", "H", "I"), (">", "HHI", "H", "I"), ("<", "HHQ", "Q", "Q"), (">", "HHQ", "Q", "Q"))
SIGNATURES = dict(zip(TIFF_SIGNATURES, LAYOUTS, strict=True))  # the last two are BigTIFF
INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}
WIDTH, HEIGHT, BITS, PHOTOMETRIC, ORIENTATION, SAMPLES, FORMAT = 256, 257, 258, 262, 274, 277, 339
PIECES = ((273, 279), (324, 325))  # offsets and sizes of strips, and of tiles
WHITE_IS_ZERO, BLACK_IS_ZERO = 0, 1
FORMATS = {1: "unsigned", 2: "signed", 3: "floating-point"}

set_log_level = cv2.setLogLevel if hasattr(cv2, "setLogLevel") else cv2.utils.logging.setLogLevel  # of OpenCV 4 and 5
set_log_level(0)  # silent: undecodable files raise BadData here


class Header(NamedTuple):
    """Tags of the first image of a TIFF."""

    height: int
    width: int
    bits: int
    samples: int
    photometric: int
    format: int
    orientation: int
    end: int  # of the pixels in the file

    @property
    def kind(self) -> str:
        """Return the type of the values, for error messages."""
        return f"{self.bits}-bit {FORMATS.get(self.format, 'unknown')}"


def deep_tiff(data: bytes, value_range: ValueRange | None) -> Picture | None:
    """Return a grayscale picture of more than 8 bits decoded by OpenCV; None for files that Pillow should read."""
    if data[:4] not in SIGNATURES:
        return None
    header = _header(data)
    if header is None or header.samples != 1 or header.photometric not in (WHITE_IS_ZERO, BLACK_IS_ZERO):
        return None
    if header.bits <= 8 and header.format == 1:
        return None
    check_size(header.height, header.width)
    turn = EXIF_TURNS.get(header.orientation, EXIF_TURNS[1])
    height, width = (header.width, header.height) if turn.transpose else (header.height, header.width)
    return Picture(height, width, lambda _: _load(data, header, value_range), turn)


def _load(data: bytes, header: Header, value_range: ValueRange | None) -> np.ndarray:
    if header.end > len(data):  # OpenCV would fill up with black
        raise BadData(f"truncated TIFF of {header.kind} values")
    values: np.ndarray | None = cv2.imdecode(np.frombuffer(_as_stored(data), np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None or values.shape != (header.height, header.width):
        raise BadData(f"a TIFF of {header.kind} values that is broken or of an unsupported kind: save it as 16-bit")
    if header.format == 1 and 8 < header.bits < 16:
        values = values >> (16 - header.bits)  # OpenCV aligns them to the left
    if header.format == 1 and values.dtype == np.int32:  # by OpenCV 4
        values = values.view(np.uint32)
    full = (0.0, 2.0**header.bits - 1) if header.format == 1 and header.bits <= 16 else None
    levels = to_levels(values, value_range or full)
    return gray(255 - levels if header.photometric == WHITE_IS_ZERO else levels)


def _header(data: bytes) -> Header | None:
    """Read the tags; None if required ones are missing. Raises BadData if the file ends within them."""
    tags = {tag: values for tag, values, _, _ in _tags(data)}
    if not {WIDTH, HEIGHT, PHOTOMETRIC} <= tags.keys():
        return None
    pieces = ((tags.get(starts, ()), tags.get(sizes, ())) for starts, sizes in PIECES)
    ends = [start + size for starts, sizes in pieces for start, size in zip(starts, sizes, strict=False)]
    return Header(
        height=tags[HEIGHT][0],
        width=tags[WIDTH][0],
        bits=tags.get(BITS, (1,))[0],
        samples=tags.get(SAMPLES, (1,))[0],
        photometric=tags[PHOTOMETRIC][0],
        format=tags.get(FORMAT, (1,))[0],
        orientation=tags.get(ORIENTATION, (1,))[0],
        end=max(ends, default=0),
    )


def _as_stored(data: bytes) -> bytes:
    """Return the file with its orientation reset, which OpenCV would apply."""
    for tag, _, at, code in _tags(data):
        if tag == ORIENTATION:
            return data[:at] + struct.pack(code, 1) + data[at + struct.calcsize(code) :]
    return data


def _tags(data: bytes) -> Iterator[tuple[int, tuple[int, ...], int, str]]:
    """Yield the integer tags of the first image: tag, values, their offset and their struct code."""
    order, entry, count, pointer = SIGNATURES[data[:4]]
    size, room = struct.calcsize(order + entry), struct.calcsize(order + pointer)
    try:
        (at,) = struct.unpack_from(order + pointer, data, 4 if pointer == "I" else 8)
        (entries,) = struct.unpack_from(order + count, data, at)
        at += struct.calcsize(order + count)
        for place in range(at, at + entries * (size + room), size + room):
            tag, kind, length = struct.unpack_from(order + entry, data, place)
            value_at = place + size
            if kind not in INTEGERS or not length:
                continue
            if length * struct.calcsize(INTEGERS[kind]) > room:
                (value_at,) = struct.unpack_from(order + pointer, data, value_at)
                if value_at >= len(data):
                    continue
            numbers = struct.unpack_from(f"{order}{length}{INTEGERS[kind]}", data, value_at)
            yield tag, numbers, value_at, order + INTEGERS[kind]
    except (struct.error, OverflowError) as error:
        raise BadData("truncated TIFF: it ends within its tags") from error
