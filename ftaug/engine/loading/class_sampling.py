"""Class-balanced sampling: over- and undersample classes by quotas, as a function of (seed, epoch).

The samples of a class are visited in rounds. Each round visits all of them once, in its own random order, and an epoch
takes the next visits of each class, so that all samples of a class are visited equally often, plus or minus one. The
round replaces the epoch in the seed of augmentation: a sample visited twice in an epoch is augmented in two ways.
"""

from dataclasses import dataclass

import numpy as np

from ftaug.engine.loading import seeds


@dataclass(frozen=True)
class Resampling:
    """The number of visits of each class in an epoch, and their order."""

    seed: int
    targets: np.ndarray  # int64 (n,): the classes of the samples
    quotas: np.ndarray  # int64 (classes,): visits of each class in an epoch

    @classmethod
    def of_classes(cls, seed: int, targets: np.ndarray, shares: np.ndarray, visits: int) -> "Resampling":
        """Give each class its share of an epoch of so many visits."""
        return cls(seed, targets, _apportioned(np.asarray(shares, np.float64), visits))

    @classmethod
    def in_turn(cls, seed: int, samples: int, visits: int) -> "Resampling":
        """Visit all samples in turn, in epochs of so many visits."""
        return cls(seed, np.zeros(samples, np.int64), np.array([visits]))

    def visits(self, epoch: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions of an epoch in their order, and the round of each visit: int64 (n,) both."""
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
        """Return the random order of the samples of a class in a round."""
        return np.asarray(seeds.generator(self.seed, "sampler", code, turn).permutation(count))


def _apportioned(shares: np.ndarray, total: int) -> np.ndarray:
    """Apportion a number by shares with the largest-remainder method."""
    ideal = total * shares / shares.sum()
    quotas = np.floor(ideal).astype(np.int64)
    quotas[np.argsort(quotas - ideal, kind="stable")[: total - int(quotas.sum())]] += 1
    return np.asarray(quotas)
