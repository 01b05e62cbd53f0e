"""Augmentations of time: a shift, and the speed of play."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from ftaug.audio import augmentation
from ftaug.audio.augmentations.transforms import OpProbability, Sound, TimeChange
from ftaug.augment.transform import between, happens
from ftaug.config.types import NonNegative, Wording

SpeedChange = Annotated[float, Field(ge=0, lt=0.9, allow_inf_nan=False), Wording("a share from 0 to below 0.9")]

MOST_CUT = 0.25
"""Largest share of a short sound that a shift cuts off, such as the stroke at the beginning of a drum."""


@augmentation.register(severity={"seconds": (0.0, 0.5)}, standard=True, stage="time")
def shift(
    sound: Sound, rng: np.random.Generator, *, seconds: NonNegative = 0.1, probability: OpProbability = 1.0
) -> TimeChange | None:
    """Play the sound earlier or later by a random time, uniform in ±seconds.

    Settings:
        seconds: the longest time; of a sound that is longer than the window, what is beside the window comes in; of a
            shorter one no more than a quarter is moved out of the window

    What is empty then is padding.
    """
    earliest, latest = seconds, seconds
    rest = sound.samples / sound.rate - sound.seconds
    if rest >= 0:
        earliest, latest = min(seconds, MOST_CUT * sound.seconds), min(seconds, rest + MOST_CUT * sound.seconds)
    delay = between(rng, -earliest, latest)
    return TimeChange(delay=delay).with_params(seconds=delay) if happens(rng, probability) else None


@augmentation.register(severity={"amount": (0.0, 0.3)}, standard=True, stage="time")
def speed(
    sound: Sound, rng: np.random.Generator, *, amount: SpeedChange = 0.1, probability: OpProbability = 1.0
) -> TimeChange | None:
    """Play the sound faster or slower by a random factor, which changes its length and its pitch.

    Settings:
        amount: the factor is uniform in 1 ± amount; 0.06 is a semitone

    Not where the pitch is the class, or the voice: a faster speaker sounds like another one. Source: Ko et al. 2015
    (Audio augmentation for speech recognition).
    """
    factor = between(rng, 1 - amount, 1 + amount)
    return TimeChange(speed=factor).with_params(factor=factor) if happens(rng, probability) else None
