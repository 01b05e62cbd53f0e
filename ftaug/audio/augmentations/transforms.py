"""Audio transforms: what an augmentation drew, which the pipeline fuses and applies.

Changes of time are applied while a sound is read, as one resampling; filters that follow one another as one Fourier
transform; masks of the spectrogram on the device of the model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ftaug.audio.packed import Box
from ftaug.augment.transform import Transform
from ftaug.config.types import Doc, Positive, Probability, Wording

OpProbability = Annotated[Probability, Doc("the chance that the op fires for a sound")]


def in_order(pair: tuple[float, float]) -> tuple[float, float]:
    """Check that the first of two numbers is not the larger one."""
    if pair[0] > pair[1]:
        raise PydanticCustomError("range", "must be [smallest, largest]")
    return pair


Decibels = Annotated[float, Field(ge=-120, le=120, allow_inf_nan=False)]
DecibelRange = Annotated[
    tuple[Decibels, Decibels], AfterValidator(in_order), Wording("[smallest, largest] in dB, from -120 to 120")
]
Frequency = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False), Wording("a frequency in Hz above 0")]
FrequencyRange = Annotated[
    tuple[Frequency, Frequency], AfterValidator(in_order), Wording("[lowest, highest] in Hz, both above 0")
]
SecondsRange = Annotated[
    tuple[Positive, Positive], AfterValidator(in_order), Wording("[shortest, longest] in seconds, both above 0")
]


class Sound(NamedTuple):
    """View of a sound that an augmentation draws from: the window of the model, and the part that is not padding."""

    rate: int  # Hz
    samples: int  # length of the window
    seconds: float  # length of the sound, which may be longer than the window
    labels: tuple[str, ...] = ()  # class names; none in evaluation

    def relabeled(self, labels: tuple[str, ...]) -> Sound:
        """Return a copy with other class names."""
        return self._replace(labels=labels)


@dataclass(frozen=True)
class TimeChange(Transform):
    """Play the sound faster by a factor, and later by some seconds."""

    speed: float = 1.0
    delay: float = 0.0

    def output_view(self, seen: Sound) -> Sound:
        """Return the view after it: a sound that is played faster is shorter."""
        return super().output_view(seen)._replace(seconds=seen.seconds / self.speed)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Filter(Transform):
    """Multiply the spectrum by a response: float or complex (n,) at frequencies (n,) in Hz."""

    response: Callable[[np.ndarray], np.ndarray]
    flat: float | None = None  # the factor, if it is the same at all frequencies

    def then(self, later: Filter) -> Filter:
        """Compose two filters into one."""
        flat = self.flat * later.flat if self.flat is not None and later.flat is not None else None
        return Filter(lambda hertz: self.response(hertz) * later.response(hertz), flat)


@dataclass(frozen=True)
class WaveFunction(Transform):
    """Apply a function to the waveform, float32 (samples,), of the part that is not padding."""

    apply: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class MelMask(Transform):
    """Hide rectangles of the spectrogram: they become 0 after its normalization."""

    boxes: tuple[Box, ...]


Draw = TimeChange | Filter | WaveFunction | MelMask


def level(factor: float) -> Filter:
    """Return a filter that multiplies by a factor."""
    return Filter(lambda hertz: np.full(len(hertz), factor), factor)


def decibels(value: float) -> float:
    """Return the factor of an amplitude in decibels."""
    return float(10 ** (value / 20))
