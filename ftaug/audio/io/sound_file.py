"""Read parts of sound files: WAV, FLAC, OGG, Opus, MP3, AIFF and others with libsndfile, AAC and others with PyAV."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, reduce
from typing import NamedTuple

import numpy as np

from ftaug.audio.clip import Clip, Content, Recording
from ftaug.audio.io.libsndfile import BLOCK, claimed_frames, decoded_frames
from ftaug.audio.io.open_sound import opened
from ftaug.errors import BadData, MissingInput

LARGE = 4096
"""Bytes from which a file without samples has a wrong header, as of a WAV file whose writing was not ended."""
_SPOILED = ", as its header says, though it is large; convert it, such as by: ffmpeg -i IN OUT.flac"

LONG = 1 << 22
"""Frames of a block that is opened anew: few blocks, as to seek in an MP3 file takes longer the further it is."""

HIGHEST = 256
"""Floats above it, 48 dB above full scale, are integers that were not scaled."""

LOOKED_AT, CANCELED = 1 << 16, 1e-4
"""Frames that are compared for opposite channels, and the share of their power in the mean that is silence."""


class Format(NamedTuple):
    """What the header of a sound says."""

    rate: int  # Hz
    frames: int
    channels: int


def format_of(clip: Clip) -> Format:
    """Return the rate, length and channels of the whole source; raises BadData, MissingInput."""
    if isinstance(clip.source, Recording):
        wave = clip.source.wave
        return Format(clip.source.rate, len(wave), 1 if wave.ndim == 1 else wave.shape[1])
    if isinstance(clip.source, Content):
        return _format_of_content(clip.source)
    status = _status(clip.source)
    return _format_of_file(clip.source, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _format_of_file(path: str, modified: int, size: int) -> Format:
    return _format_in(path, size)


@lru_cache(maxsize=4096)
def _format_of_content(content: Content) -> Format:
    data = content.read()
    return _format_in(replace(content, read=lambda: data), len(data))


def _format_in(source: str | Content, size: int) -> Format:
    """Read the header of a file, and count the frames where it says too much."""
    if size == 0:
        raise BadData("the file is empty")
    with opened(source) as file:
        frames = decoded_frames(file)
        if frames == 0:
            raise BadData(f"holds no sound: 0 samples{_SPOILED * (size > LARGE)}")
        return Format(int(file.samplerate), frames, int(file.channels))


def claimed(clip: Clip) -> int:
    """Return how many frames the header of the whole source claims; raises BadData, MissingInput."""
    if isinstance(clip.source, Recording):
        return len(clip.source.wave)
    with opened(clip.source) as file:
        return claimed_frames(file)


def _status(path: str) -> os.stat_result:
    try:
        return os.stat(path)  # noqa: PTH116  # a third of the time of a Path, for each sound
    except FileNotFoundError:
        raise MissingInput(f"{path}: the file does not exist") from None
    except OSError as error:
        raise MissingInput(f"{path}: cannot be read: {error.strerror}") from None


def frames(clip: Clip, first: int, count: int) -> np.ndarray:
    """Read frames of a source from a place in it, one channel: float32 (n,), fewer than `count` at its end.

    Integers are scaled to -1…1. Raises BadData, MissingInput.
    """
    stored = _stored(clip, first, count)
    wave = one_channel(stored.astype(np.float32), clip)
    if stored.dtype == np.int16:
        wave *= np.float32(1 / 32_768)  # four times as fast as libsndfile does it
        return wave
    peak = max(wave.max(initial=0), -wave.min(initial=0))
    if not peak <= HIGHEST:
        if not np.isfinite(wave).all():
            raise BadData("has samples that are not numbers (NaN or infinity)")
        raise BadData(f"has floats up to {peak:,.6g}, which must be in -1…1; divide those of 16 bits by 32,768")
    return wave


def _stored(clip: Clip, first: int, count: int) -> np.ndarray:
    """Read frames as they are stored: float or int16 (n, channels)."""
    if isinstance(clip.source, Recording):
        part = clip.source.wave[first : first + count]
        return part if part.ndim == 2 else part[:, None]
    with opened(clip.source) as file:
        if first:
            file.seek(first)
        stored: np.ndarray = file.read(count, dtype="int16" if file.subtype == "PCM_16" else "float32", always_2d=True)
        return stored


def blocks(clip: Clip, multiple: int = 1) -> Iterator[np.ndarray]:
    """Yield a clip in parts of a minute or two, each but the last of a multiple of so many frames: float32 (n,).

    Raises BadData, MissingInput.
    """
    first, count = span(clip)
    step = -(-LONG // multiple) * multiple
    for start in range(0, count, step):
        yield frames(clip, first + start, min(step, count - start))


def one_channel(wave: np.ndarray, clip: Clip) -> np.ndarray:
    """Reduce frames (n, channels) to one channel: float32 (n,); raises BadData."""
    count = wave.shape[1]
    if count == 1:
        return wave[:, 0]
    if clip.channels in ("left", "right") and count != 2:
        raise BadData(f"has {count} channels, so none is the {clip.channels} one; set channels: mix")
    if clip.channels == "mix":
        mixed: np.ndarray = reduce(np.add, wave.T)  # a mean over so short an axis takes ten times
        mixed /= np.float32(count)
        return mixed
    column = loudest(clip) if clip.channels == "loudest" else {"left": 0, "first": 0, "right": 1}[clip.channels]
    return np.ascontiguousarray(wave[:, column])


def loudest(clip: Clip) -> int:
    """Return the number of the channel with the highest level, over the whole source."""
    form = format_of(clip)
    energies = np.zeros(form.channels)
    for first in range(0, form.frames, BLOCK):
        energies += np.square(_stored(clip, first, BLOCK), dtype=np.float64).sum(axis=0)
    return int(energies.argmax())


def span(clip: Clip) -> tuple[int, int]:
    """Return the first frame of a clip in its source and its number of frames; raises BadData, MissingInput."""
    return span_in(format_of(clip), clip)


def span_in(form: Format, clip: Clip) -> tuple[int, int]:
    """Return the first frame and the number of frames of a clip in a source of this format; raises BadData."""
    length = form.frames / form.rate
    if clip.end is not None and clip.start >= clip.end:
        raise BadData(f"start {clip.start:g} s is not before end {clip.end:g} s")
    if clip.end is not None and clip.end > length + 0.5 / form.rate:
        raise BadData(f"end {clip.end:g} s is behind the sound's {length:.3g} s{_unit(clip.end)}")
    if clip.start >= length:
        raise BadData(f"start {clip.start:g} s is behind the sound's {length:.3g} s{_unit(clip.start)}")
    first = round(clip.start * form.rate)
    last = form.frames if clip.end is None else min(form.frames, round(clip.end * form.rate))
    return first, max(1, last - first)


def _unit(value: float) -> str:
    """Say which unit is meant, of a value that may have another."""
    return "; divide milliseconds by 1,000, and samples by their rate" if value >= 100 and value.is_integer() else ""


def is_silent(clip: Clip) -> bool:
    """Whether all samples of a clip are zero; reads up to the first that is not. Raises BadData, MissingInput."""
    first, count = span(clip)
    for start in range(0, count, LOOKED_AT):
        if frames(clip, first + start, min(LOOKED_AT, count - start)).any():
            return False
    return True


def is_canceled(clip: Clip) -> bool:
    """Whether the channels at the beginning of a sound are opposite, so that their mean is next to nothing."""
    if clip.channels != "mix":
        return False
    try:
        wave = _stored(clip, span(clip)[0], LOOKED_AT)
    except (BadData, MissingInput):
        return False
    level, mixed = (float(np.square(part, dtype=np.float64).mean()) for part in (wave, wave.mean(axis=1)))
    return level > 0 and mixed < CANCELED * level
