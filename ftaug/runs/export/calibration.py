"""Calibration samples for post-training quantization, from which activation ranges are estimated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ftaug.engine.loading import seeds
from ftaug.engine.loading.batches import naming
from ftaug.engine.loading.split import DataSplit
from ftaug.interfaces.export import SampleBatch

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class CalibrationSamples(Sequence[SampleBatch]):
    """Samples of a data split as batches of one, preprocessed as in evaluation, read lazily."""

    split: DataSplit
    positions: np.ndarray
    prepare: Callable[[Sequence[Any]], Tensor]

    @classmethod
    def drawn(
        cls, split: DataSplit, count: int, seed: int, prepare: Callable[[Sequence[Any]], Tensor]
    ) -> CalibrationSamples:
        """Draw at most `count` samples, the same for a seed, in the order of the split."""
        rng = seeds.generator(seed, "calibration")
        return cls(split, np.sort(rng.permutation(len(split))[:count]), prepare)

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, index: Any) -> Any:
        position = int(self.positions[index])
        with naming(self.split, position):
            raw = self.split.samples.read(int(self.split.ids[position]))
            return SampleBatch([raw], self.prepare([raw]))
