"""TIFF files written by hand, of depths and photometric interpretations that no library here writes."""

import struct

import cv2
import numpy as np
import pytest

OPENCV_5 = pytest.mark.skipif(
    int(cv2.__version__.split(".")[0]) < 5, reason="OpenCV 4 does not read unsigned TIFFs of 32 bits"
)


def gray_tiff(values, bits, *, white_is_zero=False, sample_format=1, big_endian=False, orientation=1) -> bytes:
    """One strip of gray values; those of fewer than 16 bits are packed, each row from a new byte on."""
    values = np.asarray(values)
    order = ">" if big_endian else "<"
    if bits % 8:
        rows = ("".join(format(int(v), f"0{bits}b") for v in row) for row in values)
        padded = (row + "0" * (-len(row) % 8) for row in rows)
        data = b"".join(int(row, 2).to_bytes(len(row) // 8, "big") for row in padded)
    else:
        data = values.astype(f"{order}{'uif'[sample_format - 1]}{bits // 8}").tobytes()
    data += b"\0" * (len(data) % 2)
    short, long = 3, 4
    tags = [
        (256, long, values.shape[1]),
        (257, long, values.shape[0]),
        (258, short, bits),
        (259, short, 1),
        (262, short, 0 if white_is_zero else 1),
        (273, long, 8),
        (274, short, orientation),
        (277, short, 1),
        (278, long, values.shape[0]),
        (279, long, len(data)),
        (339, short, sample_format),
    ]
    rows = [
        struct.pack(order + "HHI", tag, kind, 1)
        + (struct.pack(order + "HH", value, 0) if kind == short else struct.pack(order + "I", value))
        for tag, kind, value in tags
    ]
    head = (b"MM\0*" if big_endian else b"II*\0") + struct.pack(order + "I", 8 + len(data))
    return head + data + struct.pack(order + "H", len(tags)) + b"".join(rows) + struct.pack(order + "I", 0)
