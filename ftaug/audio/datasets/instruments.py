"""Synthetic sounds of instruments, computed from formulas: sounds without a download."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from ftaug.audio import dataset
from ftaug.audio.clip import Clip, Recording
from ftaug.audio.datasets.synthesis import INSTRUMENTS, RATE, note
from ftaug.config.types import Count, CountOrZero
from ftaug.data.subsample import few_per_class
from ftaug.interfaces.data import Task

COUNTS = {"train": 40, "val": 15, "test": 20}
"""Number of sounds of each class in a split."""

VERSION = 1
"""Raised when a formula changes."""


@dataclass(frozen=True)
class Notes:
    """Notes of instruments; each is computed when it is read, from its number alone."""

    numbers: np.ndarray  # int64 (n,)
    targets: np.ndarray  # int64 (n,)
    task: Task
    fingerprint: str
    groups: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.targets)

    def read(self, index: int) -> Clip:
        """Compute the sound."""
        instrument = self.task.classes[self.targets[index]]
        return Clip(Recording(note(instrument, int(self.numbers[index])), RATE))

    def name(self, index: int) -> str:
        """Name the sound by its instrument and number."""
        return f"instruments[{self.numbers[index]}]"


@dataset.register(tasks=("single_label",))
def instruments(split: str, *, per_class: Count | None = None, subset_seed: CountOrZero = 0) -> Notes:
    """750 single notes of ten synthetic instruments at 16 kHz, 0.5 to 1.2 s long, in noise of 5 to 40 dB.

    Settings:
        per_class: use only that many sounds of each class for training; validation and test stay whole
        subset_seed: which sounds `per_class` chooses

    Pitch, loudness, attack, decay and timbre are random, and the same in every run. 40 sounds of each class are for
    training, 15 for validation and 20 for testing. They are computed from formulas of ftaug's own, not recorded: they
    show how to train, not how well it works on real sounds.
    """
    before = sum(list(COUNTS.values())[: list(COUNTS).index(split)])
    classes = tuple(INSTRUMENTS)
    targets = np.repeat(np.arange(len(classes)), COUNTS[split])
    numbers = before * len(classes) + np.arange(len(targets))
    if split == "train" and per_class is not None:
        rows = few_per_class("instruments", targets, per_class, subset_seed)
        targets, numbers = targets[rows], numbers[rows]
    digest = hashlib.sha256(f"instruments {VERSION} ".encode() + numbers.tobytes())
    return Notes(numbers, targets, Task(classes), digest.hexdigest())
