"""What a network sees of a sound, as a plane of frequency and time that is cut into cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from pydantic import Field

from ftaug.config.types import Doc, Wording

if TYPE_CHECKING:
    from torch import Tensor

Cells = Annotated[
    int,
    Field(ge=2, le=1024),
    Wording("a whole number from 2 to 1024"),
    Doc("number of bands; time is cut into cells as long as bands are high, at most twice as many"),
]


class Plane(NamedTuple):
    """A spectrogram, or a waveform as a plane with one row."""

    values: Tensor  # (1, channels, bands, frames); 0 is what is masked, or silence
    as_input: Callable[[Tensor], Tensor]  # from such values, (n, channels, bands, frames), to the network's input

    def bounds(self, cells: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where the rows and columns of cells begin and end."""
        height, width = self.values.shape[2:]
        rows, columns = min(cells, height), min(width, 2 * cells, max(1, round(cells * width / height)))
        return _evenly(height, rows), _evenly(width, columns)


def _evenly(size: int, parts: int) -> np.ndarray:
    return np.linspace(0, size, parts + 1).round().astype(int)


def plane_of(sample: Tensor) -> Plane:
    """Return the plane of a spectrogram (1, channels, mels, frames), or of a length before a waveform, (1, 1 + n)."""
    import torch

    if sample.ndim == 4:
        return Plane(sample, lambda values: values)
    length = sample[:, :1]
    return Plane(
        sample[:, None, None, 1:], lambda values: torch.cat([length.expand(len(values), 1), values[:, 0, 0]], 1)
    )
