"""Read parts of sound files: WAV, FLAC, OGG, Opus, MP3, AIFF and others with libsndfile, AAC and others with PyAV."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, reduce
from typing import Any, NamedTuple

import numpy as np

from ftaug.audio.clip import Clip, Content, Recording
from ftaug.audio.io import av_file, pcm_file
from ftaug.data.folders.scan import Kind
from ftaug.errors import BadData, MissingInput, StorageError, missing_extra

LIBSNDFILE = (b".wav", b".flac", b".ogg", b".oga", b".opus", b".mp3", b".aif", b".aiff", b".aifc", b".au", b".caf")
SUFFIXES = (*LIBSNDFILE, *av_file.SUFFIXES)
SOUNDS = Kind("sound", SUFFIXES)

VIDEOS = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".mpg")
"""Suffixes of files that may hold sounds and are not read."""

BLOCK = 1 << 18
"""Frames that are decoded at once where a whole file must be read."""

LOOKED_AT, CANCELED = 1 << 16, 1e-4
"""Frames that are compared for opposite channels, and the share of their power in the mean that is silence."""


class Format(NamedTuple):
    """What the header of a sound says."""

    rate: int  # Hz
    frames: int
    channels: int


def library() -> Any:
    """Import soundfile; raises Unavailable if it is not installed."""
    try:
        import soundfile
    except ImportError:
        raise missing_extra("modality: audio", "soundfile and soxr", "audio") from None
    return soundfile


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
    """Read the header of a file; where its length cannot be true, the frames are counted by decoding."""
    if size == 0:
        raise BadData("the file is empty")
    with _opened(source) as file:
        frames = int(file.frames)
        if frames <= 0 or frames > _most_frames(size, file.channels) or not file.seekable():
            frames = sum(len(block) for block in file.blocks(BLOCK, dtype="float32"))
        if frames == 0:
            raise BadData("holds no sound: 0 samples")
        return Format(int(file.samplerate), frames, int(file.channels))


def _most_frames(size: int, channels: int) -> int:
    """Return a length that no file of this size has: 4 kbit/s at 48 kHz."""
    return math.ceil(size / channels * 48_000 / 500) + 48_000 * 60


def _status(path: str) -> os.stat_result:
    try:
        return os.stat(path)  # noqa: PTH116  # a third of the time of a Path, for each sound
    except FileNotFoundError:
        raise MissingInput(f"{path}: the file does not exist") from None
    except OSError as error:
        raise MissingInput(f"{path}: cannot be read: {error.strerror}") from None


@contextmanager
def _opened(source: str | Content) -> Iterator[Any]:
    """Open a sound file; raises BadData without its name, MissingInput and StorageError."""
    path = source if isinstance(source, str) else source.name
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122
    if suffix in VIDEOS:
        raise BadData(f"{suffix} is a video; convert it, such as by: ffmpeg -i IN{suffix} OUT.flac")
    soundfile = library()
    try:
        if suffix.encode() in av_file.SUFFIXES:
            yield av_file.decoded(source)
            return
        if suffix == ".wav" and isinstance(source, str) and (plain := pcm_file.opened(source)):
            yield plain
            return
        with soundfile.SoundFile(path if isinstance(source, str) else io.BytesIO(source.read())) as file:
            yield file
    except soundfile.LibsndfileError as error:
        reason = str(error.error_string).rstrip(".")
        raise BadData(f"is not a sound that can be decoded ({reason}); read: {_suffixes()}") from None
    except PermissionError:
        raise MissingInput(f"{path}: no permission to read the file") from None
    except OSError as error:
        raise StorageError(f"{path}: cannot read: {error.strerror}") from error


def _suffixes() -> str:
    return " ".join(suffix.decode() for suffix in SUFFIXES)


def frames(clip: Clip, first: int, count: int) -> np.ndarray:
    """Read frames of a source from a place in it, one channel: float32 (n,), fewer than `count` at its end.

    Integers are scaled to -1…1. Raises BadData, MissingInput.
    """
    stored = _stored(clip, first, count)
    wave = one_channel(stored.astype(np.float32), clip)
    if stored.dtype == np.int16:
        wave *= np.float32(1 / 32_768)  # four times as fast as libsndfile does it
    elif not np.isfinite(wave).all():
        raise BadData("has samples that are not numbers (NaN or infinity)")
    return wave


def _stored(clip: Clip, first: int, count: int) -> np.ndarray:
    """Read frames as they are stored: float or int16 (n, channels)."""
    if isinstance(clip.source, Recording):
        part = clip.source.wave[first : first + count]
        return part if part.ndim == 2 else part[:, None]
    with _opened(clip.source) as file:
        if first:
            file.seek(first)
        stored: np.ndarray = file.read(count, dtype="int16" if file.subtype == "PCM_16" else "float32", always_2d=True)
        return stored


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
        raise BadData(f"end {clip.end:g} s is behind the sound's {length:.3g} s")
    if clip.start >= length:
        raise BadData(f"start {clip.start:g} s is behind the sound's {length:.3g} s")
    first = round(clip.start * form.rate)
    last = form.frames if clip.end is None else min(form.frames, round(clip.end * form.rate))
    return first, max(1, last - first)


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
