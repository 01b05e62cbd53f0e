"""The row of a batch that a sound becomes: where it begins and ends, the masks of its spectrogram, its waveform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

BEGIN, END = 0, 1
"""Columns with the first sample of the sound in the window and the one after its last; the rest is padding."""

MOST_MASKS = 8
BOXES = slice(2, 2 + 4 * MOST_MASKS)
"""Columns of the masks: first and last sample, lowest and highest share of the mel bands; unused ones are zero."""

HEADER = BOXES.stop


class Box(NamedTuple):
    """A rectangle of a spectrogram that is hidden."""

    start: float  # samples
    stop: float
    low: float  # share of the mel bands, 0 to 1
    high: float

    def later(self, samples: int) -> Box:
        """Return the rectangle so many samples later."""
        return self._replace(start=self.start + samples, stop=self.stop + samples)


def pack(wave: np.ndarray, begin: int, end: int, boxes: Sequence[Box] = ()) -> np.ndarray:
    """Pack a waveform (samples,) and what is known of it: float32 (HEADER + samples,)."""
    row = np.zeros(HEADER + len(wave), np.float32)
    row[BEGIN], row[END] = begin, end
    row[BOXES.start : BOXES.start + 4 * len(boxes)] = np.ravel(boxes)
    row[HEADER:] = wave
    return row


def waves(packed: Tensor) -> Tensor:
    """Return the waveforms of a batch: (N, samples)."""
    return packed[:, HEADER:]


def boxes(packed: Tensor) -> Tensor:
    """Return the masks of a batch: (N, MOST_MASKS, 4)."""
    return packed[:, BOXES].reshape(-1, MOST_MASKS, 4)
