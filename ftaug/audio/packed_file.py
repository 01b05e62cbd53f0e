"""The file of a sound for `ftaug pack`."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from ftaug.audio.clip import Clip
from ftaug.audio.io.open_sound import SUFFIXES
from ftaug.audio.io.sound_file import format_of, frames, span
from ftaug.audio.io.wav import encoded
from ftaug.errors import ExperimentError
from ftaug.interfaces.data import Samples, Shrink


def packed_file(samples: Samples, index: int, shrink: Shrink | None) -> tuple[bytes, str]:
    """Return the content of a sound's file and its suffix; a part of a file, and a sound without one, become WAV.

    Raises BadData, and ExperimentError if it is to be made smaller.
    """
    if shrink is not None:
        raise ExperimentError("--resize: makes images smaller, and these are sounds; leave it out")
    content: Any = getattr(samples, "content", None)
    suffix = PurePath(samples.key(index)).suffix if content is not None else ""  # type: ignore[attr-defined]
    if suffix.lower().encode() in SUFFIXES:
        return content(index), suffix
    clip: Clip = samples.read(index)
    return encoded(frames(clip, *span(clip)), format_of(clip).rate), ".wav"
