"""Masks of the spectrogram: SpecAugment and its parts."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import numpy as np
from pydantic import Field

from ftaug.audio import augmentation
from ftaug.audio.augmentations.transforms import MelMask, OpProbability, Sound
from ftaug.audio.packed import MOST_MASKS, Box
from ftaug.augment.transform import between, happens
from ftaug.config.registry import Component
from ftaug.config.types import Share, Wording

Masks = Annotated[int, Field(ge=1, le=MOST_MASKS), Wording(f"a whole number from 1 to {MOST_MASKS}")]


@augmentation.register(severity={"share": (0.0, 0.5)}, standard=True, stage="mel")
def time_mask(
    sound: Sound,
    rng: np.random.Generator,
    *,
    share: Share = 0.1,
    count: Masks = 1,
    probability: OpProbability = 0.5,
) -> MelMask | None:
    """Hide random stretches of time in the spectrogram.

    Settings:
        share: the longest stretch, as a share of the sound without padding; uniform up to it
        count: the number of stretches
    """
    boxes = [_in_time(rng, sound, share) for _ in range(count)]
    return _mask(boxes, sound) if happens(rng, probability) else None


@augmentation.register(severity={"share": (0.0, 0.5)}, standard=True, stage="mel")
def frequency_mask(
    sound: Sound,
    rng: np.random.Generator,
    *,
    share: Share = 0.15,
    count: Masks = 1,
    probability: OpProbability = 0.5,
) -> MelMask | None:
    """Hide random bands of frequencies in the spectrogram.

    Settings:
        share: the widest band, as a share of the mel bands; uniform up to it
        count: the number of bands
    """
    boxes = [_in_frequency(rng, sound, share) for _ in range(count)]
    return _mask(boxes, sound) if happens(rng, probability) else None


class Policy(NamedTuple):
    """The masks of a policy of SpecAugment."""

    band: float  # widest band, as a share of 80 mel bands
    seconds: float  # longest stretch
    share: float  # longest stretch, as a share of the sound
    number: int  # of bands, and of stretches


POLICIES = {  # Park et al. 2019, table 1, with frames of 10 ms
    "LB": Policy(27 / 80, 1.0, 1.0, 1),
    "LD": Policy(27 / 80, 1.0, 1.0, 2),
    "SM": Policy(15 / 80, 0.7, 0.2, 2),
    "SS": Policy(27 / 80, 0.7, 0.2, 2),
}


@augmentation.register(stage="mel")
def spec_augment(
    sound: Sound,
    rng: np.random.Generator,
    *,
    policy: Literal["LB", "LD", "SM", "SS"] = "LD",
    probability: OpProbability = 1.0,
) -> MelMask | None:
    """Hide bands of frequencies and stretches of time in the spectrogram, as SpecAugment does.

    Settings:
        policy: LB (one band of up to 27 of 80, one stretch of up to 1 s), LD (two of each), SM (two bands of up to 15,
            two stretches of up to 0.7 s and a fifth of the sound) or SS (two bands of up to 27, stretches as in SM)

    A stretch is never longer than half of the sound, which the paper's long utterances did not need. Without time
    warping. Source: Park et al. 2019 (arXiv:1904.08779).
    """
    form = POLICIES[policy]
    longest = min(form.share, 0.5, form.seconds / _visible(sound))
    boxes = [_in_frequency(rng, sound, form.band) for _ in range(form.number)]
    boxes += [_in_time(rng, sound, longest) for _ in range(form.number)]
    return _mask(boxes, sound) if happens(rng, probability) else None


def count_masks(op: Component) -> int:
    """Return the number of masks that an op draws."""
    return 2 * POLICIES[op.settings["policy"]].number if "policy" in op.settings else int(op.settings["count"])


def _visible(sound: Sound) -> float:
    """Return the seconds of a sound that a window shows."""
    return min(sound.seconds, sound.samples / sound.rate)


def _in_time(rng: np.random.Generator, sound: Sound, share: float) -> Box:
    total = _visible(sound) * sound.rate
    width = between(rng, 0, share * total)
    start = between(rng, 0, total - width)
    return Box(start, start + width, 0.0, 1.0)


def _in_frequency(rng: np.random.Generator, sound: Sound, share: float) -> Box:
    width = between(rng, 0, share)
    low = between(rng, 0, 1 - width)
    return Box(0.0, float(sound.samples), low, low + width)


def _mask(boxes: list[Box], sound: Sound) -> MelMask:
    values: dict[str, float | str] = {}
    for number, box in enumerate(boxes):
        in_time = (box.low, box.high) == (0.0, 1.0)
        first, last = (box.start / sound.rate, box.stop / sound.rate) if in_time else (box.low, box.high)
        values[f"{'seconds' if in_time else 'bands'}{f' {number}' * bool(number)}"] = f"{first:.2f}–{last:.2f}"
    return MelMask(tuple(boxes)).with_params(**values)
