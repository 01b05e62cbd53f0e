"""A raw sample: a sound file, or a waveform in memory, or a part of either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np

from ftaug.config.registry import Component
from ftaug.config.types import Doc, Wording

Channels = Annotated[
    Literal["mix", "left", "right", "first", "loudest"],
    Wording("mix, left, right, first or loudest"),
    Doc(
        "of sounds with several channels, their mean (mix), one of a stereo sound (left, right), the first one, or the "
        "one with the highest level (loudest)"
    ),
]

Silent = Annotated[
    Literal["error", "skip", "keep"],
    Wording("error, skip or keep"),
    Doc(
        "what becomes of sounds of nothing but zeros: they are an error, left out (all files are opened at each start "
        "to find them), or samples like others, as in a class of silence"
    ),
]


@dataclass(frozen=True)
class Recording:
    """A waveform in memory."""

    wave: np.ndarray  # float32 or int16 (samples,) or (samples, channels); float in -1…1
    rate: int  # Hz


@dataclass(frozen=True)
class Content:
    """A sound file that is a part of another file, such as of an archive."""

    name: str
    place: tuple[Any, ...]  # equal for the same bytes
    read: Callable[[], bytes] = field(compare=False)


@dataclass(frozen=True)
class Clip:
    """A sound, read lazily."""

    source: str | Content | Recording  # a file or a waveform
    start: float = 0.0  # seconds
    end: float | None = None  # seconds; None: to the end of the source
    channels: Channels = "mix"
    silent: Silent = "error"  # whether it may hold nothing but zeros


def how_read(dataset: Component) -> dict[str, Any]:
    """Return the settings of a dataset that say how its sounds are read, as those of `Clip`."""
    return {key: dataset.settings[key] for key in ("channels", "silent") if key in dataset.settings}
