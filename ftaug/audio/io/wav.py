"""Write waveforms as WAV files, with the same bytes for the same samples."""

from __future__ import annotations

import struct

import numpy as np

FLOAT, INTEGERS = 3, 1  # formats of a WAV file


def encoded(wave: np.ndarray, rate: int) -> bytes:
    """Encode one channel, float32 or int16 (samples,), without loss.

    Not by libsndfile, which writes the time into files of floats.
    """
    data = np.ascontiguousarray(wave).astype(wave.dtype.newbyteorder("<")).tobytes()
    size = wave.dtype.itemsize
    form = FLOAT if wave.dtype.kind == "f" else INTEGERS
    chunks = b"fmt " + struct.pack("<IHHIIHH", 16, form, 1, rate, rate * size, size, 8 * size)
    chunks += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks
