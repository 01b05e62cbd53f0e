"""Order an epoch by shards (`data.order`): shards in random order, samples in random order within windows.

The order is a function of (seed, epoch), as every other; samples of a window are near to one another in few files.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ftaug.config.experiment import Experiment, ShardWindows
from ftaug.engine.loading import seeds
from ftaug.engine.loading.split import DataSplit
from ftaug.errors import ExperimentError

WINDOW = 1000
"""Samples of a window, unless set."""


@dataclass(frozen=True)
class ShardOrder:
    """The shards of samples and the size of windows."""

    seed: int
    shards: np.ndarray  # int64 (n,): the shard of each sample, from 0
    positions: np.ndarray  # int64 (n,): where it is in its shard
    window: int

    @classmethod
    def of(cls, experiment: Experiment, train: DataSplit) -> "ShardOrder | None":
        """Return the order of the training samples; None for random order. Raises ExperimentError."""
        setting: Any = experiment.data.order
        if setting == "random":
            return None
        places = getattr(train.samples, "places", None)  # optional attribute of a dataset
        if places is None:
            name = experiment.data.train.name
            raise ExperimentError(f"data.order: {name} has no shards; leave it out, or write shards with ftaug pack")
        window = setting.window if isinstance(setting, ShardWindows) else WINDOW
        shards = np.unique(places[train.ids, 0], return_inverse=True)[1]
        return cls(experiment.seed, shards, places[train.ids, 1], window)

    def order(self, epoch: int) -> np.ndarray:
        """Return the samples of an epoch in their order: int64 (n,)."""
        count = len(self.shards)
        ranks = seeds.generator(self.seed, "shards", epoch).permutation(int(self.shards.max(initial=-1)) + 1)
        stored = np.lexsort((self.positions, ranks[self.shards]))
        draws = seeds.generator(self.seed, "windows", epoch).random(count)
        return np.asarray(stored[np.lexsort((draws, np.arange(count) // self.window))])
