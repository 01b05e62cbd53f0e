"""Labeled samples followed by pseudo-labeled or unlabeled ones, as one dataset."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from ftaug.engine.loading.class_mapping import map_soft_targets, map_targets
from ftaug.errors import BadData
from ftaug.interfaces.data import Samples, Task

PURPOSE = "pseudo_labels"


@dataclass(frozen=True)
class JoinedSamples:
    """Two datasets, one after the other, with the classes of the first."""

    first: Samples
    second: Samples
    targets: np.ndarray
    soft_targets: np.ndarray | None  # float32 (n, classes); None if neither dataset has any
    kind: str = "pseudo-labeled"  # of the samples of the second dataset

    @property
    def labeled(self) -> int:
        """The number of samples of the first dataset."""
        return len(self.first)

    @property
    def task(self) -> Task:
        """The task of the first dataset."""
        return self.first.task

    @property
    def groups(self) -> np.ndarray | None:
        """The groups of the first dataset; each sample of the second is a group of its own."""
        groups = self.first.groups
        if groups is None:
            return None
        return np.concatenate([groups, groups.max() + 1 + np.arange(len(self.second))])

    @property
    def fingerprint(self) -> str:
        """A hash of both fingerprints."""
        return sha256(f"{self.first.fingerprint} {self.second.fingerprint}".encode()).hexdigest()

    @property
    def notes(self) -> tuple[str, ...]:
        """The notes of the first dataset, and the number of samples of the second."""
        return (*self.first.notes, f"{len(self.second):,} {self.kind} samples added", *self.second.notes)

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    def read(self, index: int) -> Any:
        """Read a sample."""
        samples, position = self._place(index)
        return samples.read(position)

    def name(self, index: int) -> str:
        """Return the human-readable name of a sample."""
        samples, position = self._place(index)
        return samples.name(position)

    def key(self, index: int) -> str:
        """Return the key of a sample, its name if its dataset has no keys."""
        samples, position = self._place(index)
        return str(getattr(samples, "key", samples.name)(position))

    def _place(self, index: int) -> tuple[Samples, int]:
        return (self.first, index) if index < self.labeled else (self.second, index - self.labeled)


def joined(first: Samples, second: Samples) -> JoinedSamples:
    """Join labeled samples and pseudo-labeled ones; raises BadData for classes that the first lack."""
    if first.task.kind != "single_label":
        raise BadData("data.pseudo_labels: is for tasks with one class a sample; leave it out")
    targets = map_targets(PURPOSE, second.targets, second.task, first.task)
    soft = [_soft_targets(samples, first.task) for samples in (first, second)]
    has_soft = any(getattr(samples, "soft_targets", None) is not None for samples in (first, second))
    return JoinedSamples(
        first, second, np.concatenate([first.targets, targets]), np.concatenate(soft) if has_soft else None
    )


def _soft_targets(samples: Samples, task: Task) -> np.ndarray:
    """Return the soft targets of samples, one-hot where they have none: float32 (n, classes)."""
    shares = getattr(samples, "soft_targets", None)
    if shares is None:
        shares = np.eye(len(samples.task.classes), dtype=np.float32)[samples.targets]
    return map_soft_targets(PURPOSE, shares, samples.task, task)
