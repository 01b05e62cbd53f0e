"""Disk cache of decoded sounds: a memory-mapped file per sound, of the channel that is used at the file's rate."""

from __future__ import annotations

import mmap
import os
import struct
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from ftaug.audio.clip import Clip, Recording
from ftaug.audio.io.sound_file import format_of, frames, span_in
from ftaug.data.cached_samples import CachedSamples, Stamp, stamp_of
from ftaug.errors import BadData, MissingInput

HEADER = struct.Struct("<4q")  # size and time of the source; rate and number of samples


def decoders() -> str:
    """Name the versions of the decoders that are installed, on which the bits of samples depend."""
    return " ".join(filter(None, map(_version, ("soundfile", "av"))))


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return ""


class DecodedSounds(CachedSamples):
    """Samples with a disk cache of decoded sounds: each is decoded once as a whole, then read from the cache folder.

    Bit-identical to decoding the part that is used: not cached are sounds that are bad or cut short, of which a part
    may be readable. A sound whose source has changed is decoded again.
    """

    def read(self, index: int) -> Clip:
        """Return the sound, from the cache if possible."""
        clip: Clip = self.samples.read(index)
        if isinstance(clip.source, Recording):
            return clip
        file, stamp = self.file(index), stamp_of(clip.source)
        try:
            recording = _decoded(file, stamp)
        except (OSError, ValueError):
            return self._decode(clip, file, stamp)
        return Clip(recording, silent=clip.silent)

    def _decode(self, clip: Clip, file: str, stamp: Stamp) -> Clip:
        """Decode a sound as a whole, and cache it."""
        try:
            form = format_of(clip)
            first, count = span_in(form, clip)
            wave = frames(clip, first, count)
        except (BadData, MissingInput):
            return clip
        if len(wave) < count:
            return clip
        self.keep(file, HEADER.pack(*stamp, form.rate, count), np.ascontiguousarray(wave).data)
        return Clip(Recording(wave, form.rate), silent=clip.silent)


@lru_cache(maxsize=4096)
def _decoded(file: str, stamp: Stamp) -> Recording:
    """Map a cache file; raises OSError if there is none, ValueError if its source has another stamp.

    It stays mapped for the next epoch, if the sounds are not too many: to map and to release it takes a tenth of the
    time of augmenting a second of it.
    """
    handle = os.open(file, os.O_RDONLY)
    try:
        mapped = mmap.mmap(handle, 0, access=mmap.ACCESS_READ)
    finally:
        os.close(handle)
    *source, rate, count = HEADER.unpack(mapped[: HEADER.size].ljust(HEADER.size))
    if tuple(source) != stamp or len(mapped) != HEADER.size + 4 * count:
        raise ValueError("of another source, or cut short")
    return Recording(np.frombuffer(mapped, np.float32, offset=HEADER.size), rate)
