"""Open sounds with libsndfile, by the package soundfile, which an extra installs."""

from __future__ import annotations

import io
import re
from typing import IO, Any

import numpy as np

from ftaug.audio.clip import Content
from ftaug.audio.io.whole_sound import Decoded, WholeSound, whole_sound
from ftaug.errors import missing_extra

SUFFIXES = tuple(b".wav .flac .ogg .oga .opus .mp3 .aif .aiff .aifc .au .caf .wave .bwf .rf64 .w64 .snd .sph".split())

BLOCK = 1 << 18
"""Frames that are decoded at once where a whole file must be read."""

_CUT = re.compile(r"^ *(?:data|SSND) *: (\d+) \(should be (\d+)\)", re.MULTILINE)
"""Where libsndfile logs the bytes that the header of a WAV or AIFF file claims, and those that there are."""
_UNKNOWN = 0x7FFF_F000
"""Bytes from which a header says that their number was unknown when it was written."""


def library() -> Any:
    """Import soundfile; raises Unavailable if it is not installed."""
    try:
        import soundfile
    except ImportError:
        raise missing_extra("modality: audio", "soundfile and soxr", "audio") from None
    return soundfile


def sound_file(source: str | Content) -> Any:
    """Open a sound as a `soundfile.SoundFile`; raises LibsndfileError and OSError."""
    return library().SoundFile(source if isinstance(source, str) else io.BytesIO(source.read()))


def decoded_in_order(source: str | Content) -> WholeSound:
    """Decode a sound in which libsndfile cannot seek, such as GSM, and FLAC that was written to a pipe.

    Raises LibsndfileError and OSError.
    """
    return whole_sound(source, _decode)


def _decode(source: str | IO[bytes]) -> Decoded:
    soundfile = library()

    class InOrder(soundfile.SoundFile):  # type: ignore[misc, name-defined]
        """A file that is read without seeking to its end, which may be unknown."""

        def seekable(self) -> bool:
            return False

    with InOrder(source) as file:
        blocks = [np.zeros((0, file.channels), np.float32)]
        while len(block := file.read(BLOCK, dtype="float32", always_2d=True)):
            blocks.append(block)
        return Decoded(np.concatenate(blocks), int(file.samplerate))


def claimed_frames(file: Any) -> int:
    """Return how many frames the header of an open sound claims, which is more than there are if it was cut."""
    match = _CUT.search(getattr(file, "extra_info", ""))
    claimed, there = map(int, match.groups()) if match else (0, 0)
    return round(file.frames * claimed / there) if 0 < there < claimed < _UNKNOWN else int(file.frames)


def decoded_frames(file: Any) -> int:
    """Return how many frames of an open sound can be decoded: of an MP3 file that was cut, fewer than its header says.

    libsndfile corrects the lengths of other formats, or does not open them.
    """
    frames = int(file.frames)
    if getattr(file, "format", "") != "MP3" or frames < 1:
        return frames
    file.seek(frames - 1)
    if len(file.read(1)):
        return frames
    file.seek(0)
    return sum(iter(lambda: len(file.read(BLOCK, dtype="float32")), 0))
