"""Read a part of a clip at another sampling rate and speed: only the frames that it needs are decoded."""

from __future__ import annotations

import math
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

import numpy as np

from ftaug.audio.clip import Clip
from ftaug.audio.io.sound_file import format_of, frames, span_in
from ftaug.errors import missing_extra

QUALITY = "HQ"  # of soxr: a passband up to 0.91 of the lower Nyquist frequency, 120 dB of rejection
MARGIN = 128
"""What is read around a part, in periods of the lower rate: the filter of soxr's HQ reaches over some 90 of them."""


def resampler() -> str:
    """Name the version of the resampler, on which the bits of samples depend; empty if it is not installed."""
    try:
        return f"soxr {version('soxr')} {QUALITY}"
    except PackageNotFoundError:
        return ""


class Window(NamedTuple):
    """A part of a clip: zeros outside of the clip."""

    wave: np.ndarray  # float32 (samples,)
    begin: int  # where the clip begins in it
    end: int  # where it ends


def length(clip: Clip, rate: int, speed: float = 1.0) -> int:
    """Return the number of samples of a clip at a rate, played at a speed; raises BadData, MissingInput."""
    form = format_of(clip)
    return resampled_length(form.rate, span_in(form, clip)[1], rate, speed)


def resampled_length(source_rate: int, count: int, rate: int, speed: float = 1.0) -> int:
    """Return the number of samples at a rate that so many of another rate become, played at a speed."""
    return max(1, round(count * rate / (source_rate * speed)))


def window(clip: Clip, rate: int, first: int, count: int, speed: float = 1.0) -> Window:
    """Read `count` samples of a clip at a rate and a speed, from the sample `first` on, which may be negative.

    A speed of 1.1 makes a sound shorter and raises its pitch: 1,000 Hz become 1,100 Hz. The rate of the file and the
    speed are one resampling. Raises BadData, MissingInput.
    """
    form = format_of(clip)
    offset, available = span_in(form, clip)
    start, stop = max(0, first), min(resampled_length(form.rate, available, rate, speed), first + count)
    wave = np.zeros(count, np.float32)
    if stop <= start:
        return Window(wave, 0, 0)
    if form.rate == rate and speed == 1:
        part = frames(clip, offset + start, stop - start)
    else:
        margin = math.ceil(MARGIN * max(1, form.rate * speed / rate))
        first_frame, skipped = _aligned(form.rate, rate, start, speed, margin)
        last = math.ceil(stop * form.rate * speed / rate) + margin
        source = frames(clip, offset + first_frame, min(available, last) - first_frame)
        part = resample(source, form.rate * speed, rate)[skipped : skipped + stop - start]  # a few may lack at the end
    wave[start - first : start - first + len(part)] = part
    return Window(wave, start - first, stop - first)


def _aligned(source_rate: int, rate: int, start: int, speed: float, margin: int) -> tuple[int, int]:
    """Return the first frame to read, a margin before a sample, and the number of resampled samples before that one.

    Without a change of speed the frame is one that coincides with a sample, so that a part of the result equals the
    slice of the whole.
    """
    if speed == 1:
        common = math.gcd(source_rate, rate)
        period, samples = source_rate // common, rate // common
        blocks = max(0, (start // samples) - math.ceil(margin / period))
        return blocks * period, start - blocks * samples
    first = max(0, math.floor(start * source_rate * speed / rate) - margin)
    return first, round(start - first * rate / (source_rate * speed))


def resample(wave: np.ndarray, source_rate: float, rate: float) -> np.ndarray:
    """Resample a waveform, float32 (n,), with soxr; raises Unavailable if it is not installed."""
    try:
        import soxr
    except ImportError:
        raise missing_extra("modality: audio", "soundfile and soxr", "audio") from None
    return np.asarray(soxr.resample(wave, source_rate, rate, QUALITY), np.float32)
