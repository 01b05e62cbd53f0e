"""Decode sounds that libsndfile does not read, such as AAC, with PyAV (FFmpeg)."""

from __future__ import annotations

import os
from typing import IO, Any

import numpy as np

from ftaug.audio.clip import Content
from ftaug.audio.io.whole_sound import Decoded, WholeSound, whole_sound
from ftaug.errors import BadData, missing_extra

SUFFIXES = (b".m4a", b".aac", b".wma", b".amr")

BEGINNINGS = (
    b"#!AMR",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    b"\x1aE\xdf\xa3",
    b"\xff\xf0",
    b"\xff\xf1",
    b"\xff\xf8",
    b"\xff\xf9",
)
"""First bytes of AMR, WMA, WebM and AAC, which files may have under the name of another format."""
MP4 = b"ftyp"
"""Fifth to eighth byte of MP4 and M4A."""


def reads(name: str, beginning: bytes) -> bool:
    """Whether PyAV is to decode a file that libsndfile does not, by its name or its first bytes."""
    is_named = os.path.splitext(name)[1].lower().encode(errors="replace") in SUFFIXES  # noqa: PTH122 - not of a path
    return is_named or beginning.startswith(BEGINNINGS) or beginning[4:8] == MP4


def decoded(source: str | Content) -> WholeSound:
    """Decode a sound, or take it from those decoded last; raises BadData, OSError, and Unavailable without PyAV.

    The silence that encoders add before a sound is left out where the file says how long it is, as those of MP4 do;
    what they add behind it, less than a frame, stays.
    """
    try:
        import av  # noqa: F401
    except ImportError:
        name = source if isinstance(source, str) else source.name
        raise missing_extra(f"reading {name} (AAC, AMR, WMA or WebM)", "PyAV", "av") from None
    return whole_sound(source, _decode)


def _decode(source: str | IO[bytes]) -> Decoded:
    import av

    try:
        with av.open(source) as container:
            if not container.streams.audio:
                raise BadData("has no audio track")
            return _frames(container)
    except av.error.FFmpegError as error:
        raise BadData(f"is not a sound that can be decoded ({error.strerror}); replace it") from None


def _frames(container: Any) -> Decoded:
    import av

    to_floats = av.AudioResampler(format="fltp")  # the format alone changes
    parts: list[np.ndarray] = []
    rate = 0
    for frame in container.decode(audio=0):
        rate = frame.sample_rate
        parts += [each.to_ndarray() for each in to_floats.resample(frame)]
    if not parts:
        raise BadData("holds no sound: 0 samples")
    return Decoded(np.ascontiguousarray(np.concatenate(parts, axis=1).T), rate)
