"""Open sound files with the library that can read them, by their content."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from ftaug.audio.clip import Content
from ftaug.audio.io import av_file, libsndfile, pcm_file
from ftaug.audio.io.mpeg_sound import mpeg_sound
from ftaug.data.beginning import beginning
from ftaug.data.folders.scan import Kind
from ftaug.data.retries import read_with_retries
from ftaug.errors import BadData, MissingInput, StorageError

SUFFIXES = (*libsndfile.SUFFIXES, *av_file.SUFFIXES)
SOUNDS = Kind("sound", SUFFIXES)

VIDEOS = (".mp4", ".mkv", ".mov", ".avi", ".webm", ".mpg")
"""Suffixes of files that may hold sounds and are not read."""

BEGINNINGS = tuple(b"RIFF RIFX RF64 riff fLaC OggS ID3 FORM .snd caff NIST".split())
"""First bytes of sounds."""
LOOKED_AT = 64
"""Bytes at the beginning of a file by which its kind is told."""


@contextmanager
def opened(source: str | Content) -> Iterator[Any]:
    """Open a sound as a `soundfile.SoundFile`, or what has its interface.

    Raises BadData without its name, MissingInput and StorageError.
    """
    name = source if isinstance(source, str) else source.name
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - may be no path
    if suffix in VIDEOS:
        raise BadData(f"{suffix} is a video; convert it, such as by: ffmpeg -i IN{suffix} OUT.flac")
    unreadable = libsndfile.library().LibsndfileError
    try:
        with _open(source, name) as file:
            yield file
    except unreadable as error:
        raise _bad_data(source, name, str(error.error_string).rstrip(".")) from None
    except PermissionError:
        raise MissingInput(f"{name}: no permission to read the file") from None
    except OSError as error:
        raise StorageError(f"{name}: cannot read: {error.strerror}") from error


def _open(source: str | Content, name: str) -> Any:
    """Return a context manager with an open sound."""
    if isinstance(source, str) and (plain := pcm_file.opened(source)):
        return nullcontext(plain)
    try:
        if name.lower().endswith(".mp3") and (sound := mpeg_sound(source)):
            return nullcontext(sound)
        file = libsndfile.sound_file(source)
    except libsndfile.library().LibsndfileError:
        if av_file.reads(name, _beginning(source)):
            return nullcontext(av_file.decoded(source))
        raise
    if file.format == "MP3":  # under another name
        file.close()
        return nullcontext(mpeg_sound(source))
    if file.seekable() and not _is_endless(file, source):
        return file
    file.close()
    return nullcontext(libsndfile.decoded_in_order(source))


def _is_endless(file: Any, source: str | Content) -> bool:
    """Whether no file of this size is so long: 4 kbit/s at 48 kHz, or a minute."""
    minute = 48_000 * 60
    if file.frames <= minute:
        return False
    size = Path(source).stat().st_size if isinstance(source, str) else len(source.read())
    return bool(file.frames > minute + math.ceil(size / file.channels * 48_000 / 500))


def _beginning(source: str | Content) -> bytes:
    if not isinstance(source, str):
        return source.read()[:LOOKED_AT]

    def read() -> bytes:
        with Path(source).open("rb") as file:
            return file.read(LOOKED_AT)

    return read_with_retries(source, read)


def _bad_data(source: str | Content, name: str, reason: str) -> BadData:
    """Say why a sound cannot be decoded, and what to do."""
    first = _beginning(source)
    if first.startswith(BEGINNINGS) or (first[:1] == b"\xff" and first[1:2] >= b"\xe0"):
        suffix = os.path.splitext(name)[1]  # noqa: PTH122 - may be no path
        advice = f"replace it, or convert it, such as by: ffmpeg -i IN{suffix} OUT.flac"
    else:
        reason, advice = beginning(first), f"read: {' '.join(suffix.decode() for suffix in SUFFIXES)}"
    return BadData(f"is not a sound that can be decoded ({reason}); {advice}")
