"""Which samples an epoch visits where a sampler says how much of it each class has: a function of (seed, epoch).

The samples of a class are visited in rounds, each all of them once in a random order of its own, and an epoch takes
the next visits of each class: all samples of a class come as often, give or take one. The round of a visit stands for
the epoch in augmentation: a sample that comes twice in an epoch is augmented in two ways.
"""

from dataclasses import dataclass

import numpy as np

from ftaug.config.registry import Component
from ftaug.engine.loading import seeds


@dataclass(frozen=True)
class Resampling:
    """How often an epoch visits each class."""

    seed: int
    targets: np.ndarray  # int64 (n,): the classes of the samples
    quotas: np.ndarray  # int64 (classes,): visits of each class in an epoch, n in all

    @classmethod
    def by(cls, sampler: Component, seed: int, targets: np.ndarray, counts: np.ndarray) -> "Resampling":
        """As a sampler says for classes with so many samples."""
        return cls(seed, targets, _apportioned(np.asarray(sampler(counts), np.float64), len(targets)))

    def visits(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """The samples of an epoch in their order, and the round that each is visited in: int64 (n,) both."""
        positions, rounds = [], []
        for code, quota in enumerate(self.quotas.tolist()):
            if quota:
                members = np.flatnonzero(self.targets == code)
                numbers = np.arange(epoch * quota, (epoch + 1) * quota)
                turns, places = np.divmod(numbers, len(members))
                for turn in range(int(turns[0]), int(turns[-1]) + 1):
                    order = self._order(code, turn, len(members))
                    positions.append(members[order[places[turns == turn]]])
                rounds.append(turns)
        shuffled = seeds.order(self.seed, epoch, int(self.quotas.sum()))
        return np.concatenate(positions)[shuffled], np.concatenate(rounds)[shuffled]

    def _order(self, code: int, turn: int, count: int) -> np.ndarray:
        """The order in which a round visits the samples of a class."""
        return np.asarray(seeds.generator(self.seed, "sampler", code, turn).permutation(count))


def _apportioned(shares: np.ndarray, total: int) -> np.ndarray:
    """Split a number by shares, what is left over going to the largest remainders."""
    ideal = total * shares / shares.sum()
    quotas = np.floor(ideal).astype(np.int64)
    quotas[np.argsort(quotas - ideal, kind="stable")[: total - int(quotas.sum())]] += 1
    return np.asarray(quotas)
