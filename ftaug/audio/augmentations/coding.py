"""Augmentation by lossy codecs: what MP3 files and calls over Opus leave of a sound."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import AfterValidator, Field

from ftaug.audio import augmentation
from ftaug.audio.augmentations.transforms import OpProbability, Sound, WaveFunction, in_order
from ftaug.audio.io.libsndfile import library
from ftaug.audio.io.resample import resample
from ftaug.augment.transform import between, happens
from ftaug.config.types import Wording

Kilobits = Annotated[float, Field(ge=6, le=320, allow_inf_nan=False)]
KilobitRange = Annotated[
    tuple[Kilobits, Kilobits], AfterValidator(in_order), Wording("[smallest, largest] in kbit/s, from 6 to 320")
]

MOST_COMPRESSION = 0.99
"""libsndfile's level of compression up to which its encoder of MP3 takes it."""
ENCODER_DELAY = 1105
"""Samples of silence before an MP3 that is too small for the header that says so: LAME's 576, and 529 of decoders."""


class Coding(NamedTuple):
    """A codec of libsndfile, and the sampling rates that it takes, each with its lowest and highest bit rate."""

    format: str
    subtype: str
    kilobits: Mapping[int, tuple[float, float]]
    settings: Mapping[str, str]


MPEG = {
    **dict.fromkeys((8000, 11_025, 12_000), (8, 64)),
    **dict.fromkeys((16_000, 22_050, 24_000), (8, 160)),
    **dict.fromkeys((32_000, 44_100, 48_000), (32, 320)),
}
CODINGS = {
    "mp3": Coding("MP3", "MPEG_LAYER_III", MPEG, {"bitrate_mode": "CONSTANT"}),
    "opus": Coding("OGG", "OPUS", dict.fromkeys((8000, 12_000, 16_000, 24_000, 48_000), (6, 256)), {}),
}


@augmentation.register(severity={"bit_rate": ((128.0, 128.0), (6.0, 16.0))})
def codec(
    sound: Sound,
    rng: np.random.Generator,
    *,
    coding: Literal["mp3", "opus"] = "mp3",
    bit_rate: KilobitRange = (24.0, 64.0),
    probability: OpProbability = 0.2,
) -> WaveFunction | None:
    """Encode the sound as MP3 or Opus, and decode it.

    Settings:
        coding: mp3, as of files from the web, or opus, as of calls
        bit_rate: the smallest and the largest bit rate in kbit/s, uniform between them; of MP3 the nearest that its
            sampling rate has: 8 to 64 up to 12 kHz, to 160 up to 24 kHz, 32 to 320 above

    Takes 8 (MP3) to 20 ms (Opus) of processor time a second of sound at 16 kHz. Needs soundfile.
    """
    kilobits = between(rng, *bit_rate)
    if not happens(rng, probability):
        return None
    return WaveFunction(partial(_coded, coding, kilobits, sound.rate)).with_params(bit_rate=kilobits)


def _coded(name: str, kilobits: float, rate: int, wave: np.ndarray) -> np.ndarray:
    coding = CODINGS[name]
    rates = sorted(coding.kilobits)
    taken = next((each for each in rates if each >= rate), rates[-1])
    given = wave if taken == rate else resample(wave, rate, taken)
    decoded = _decoded(coding, kilobits, taken, given)
    back = decoded if taken == rate else resample(decoded, taken, rate)
    result = np.zeros_like(wave)
    result[: len(back)] = back[: len(wave)]
    return result


def _decoded(coding: Coding, kilobits: float, rate: int, wave: np.ndarray) -> np.ndarray:
    """Encode and decode a waveform; the result begins where it begins."""
    soundfile = library()
    lowest, highest = coding.kilobits[rate]
    level = min(max((highest - kilobits) / (highest - lowest), 0), MOST_COMPRESSION)
    content = io.BytesIO()
    form = {"format": coding.format, "subtype": coding.subtype, "compression_level": level, **coding.settings}
    with soundfile.SoundFile(content, "w", rate, 1, **form) as file:
        file.write(wave)
    content.seek(0)
    decoded, _ = soundfile.read(content, dtype="float32")
    return np.asarray(decoded[ENCODER_DELAY if len(decoded) > len(wave) else 0 :])
