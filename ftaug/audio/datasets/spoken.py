"""Synthetic words, spoken by random voices: speech without a download."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ftaug.audio import dataset
from ftaug.audio.clip import Clip, Recording
from ftaug.audio.speech.synthesizer import RATE
from ftaug.audio.speech.utterance import utterance
from ftaug.audio.speech.vocabulary import OTHERS, SPOKEN, pronunciations
from ftaug.config.types import Count, CountOrZero
from ftaug.data.subsample import few_per_class
from ftaug.interfaces.data import Task

SPEAKERS = {"train": range(20), "val": range(20, 30), "test": range(30, 50)}
"""Numbers of the voices that say each word of `spoken` once."""

OTHER_SPEAKERS = {"train": 1000, "val": 500, "test": 600}
"""Number of the first voice that says the words of `spoken_words`."""

HELD_OUT = 5
"""Number of voices of `spoken_words` in validation and in the test split."""

VERSION = 1
"""Raised when a formula changes."""


@dataclass(frozen=True)
class Utterances:
    """Words and their speakers; each sound is computed when it is read."""

    words: Mapping[str, tuple[str, ...]]  # phonemes of each class
    groups: np.ndarray  # int64 (n,): the speakers
    targets: np.ndarray  # int64 (n,)
    task: Task
    fingerprint: str
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.targets)

    def read(self, index: int) -> Clip:
        """Compute the sound."""
        word = int(self.targets[index])
        phonemes = self.words[self.task.classes[word]]
        return Clip(Recording(utterance(phonemes, int(self.groups[index]), word), RATE))

    def name(self, index: int) -> str:
        """Name the sound by its word and speaker."""
        return f"{self.task.classes[self.targets[index]]}[{self.groups[index]}]"


@dataset.register(tasks=("single_label",))
def spoken(split: str, *, per_class: Count | None = None, subset_seed: CountOrZero = 0) -> Utterances:
    """Ten digits and ten commands in English, said by synthetic voices: 1,000 sounds of 0.3 to 1.1 s at 16 kHz.

    Settings:
        per_class: use only that many sounds of each class for training; validation and test stay whole
        subset_seed: which sounds `per_class` chooses

    20 voices are for training, 10 for validation and 20 for testing; each says each word once. Voices, rooms and noise
    are random, and the same in every run. A formant synthesizer of ftaug's own computes them: they show how to train,
    not how well it works on recordings.
    """
    samples = _said(SPOKEN, SPEAKERS[split])
    if split == "train" and per_class is not None:
        return _selected(samples, few_per_class("spoken", samples.targets, per_class, subset_seed))
    return samples


@dataset.register(tasks=("single_label",))
def spoken_words(split: str, *, voices: Count = 60) -> Utterances:
    """206 other words in English, said by synthetic voices as those of `spoken`, for pretraining without a download.

    Settings:
        voices: how many voices say each word in training; in validation and test it is 5 others
    """
    first, count = OTHER_SPEAKERS[split], voices if split == "train" else HELD_OUT
    return _said(OTHERS, range(first, first + count))


def _said(vocabulary: str, speakers: range) -> Utterances:
    """Return the words of a vocabulary, each by all speakers."""
    words = pronunciations(vocabulary)
    groups = np.tile(np.array(speakers), len(words))
    targets = np.repeat(np.arange(len(words)), len(speakers))
    return _utterances(words, groups, targets)


def _selected(samples: Utterances, rows: np.ndarray) -> Utterances:
    return _utterances(samples.words, samples.groups[rows], samples.targets[rows])


def _utterances(words: Mapping[str, tuple[str, ...]], groups: np.ndarray, targets: np.ndarray) -> Utterances:
    content = f"{VERSION} {dict(words)} ".encode() + groups.tobytes() + targets.tobytes()
    digest = hashlib.sha256(content).hexdigest()
    return Utterances(words, groups, targets, Task(tuple(words)), digest)
