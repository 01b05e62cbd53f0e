"""Leave sounds of nothing but zeros out of a dataset."""

from __future__ import annotations

from hashlib import sha256
from typing import Protocol, Self, TypeVar

import numpy as np

from ftaug.audio.clip import Clip, Silent
from ftaug.audio.io.sound_file import is_silent
from ftaug.errors import BadData, MissingInput
from ftaug.interfaces.data import Samples


class Selectable(Samples, Protocol):
    """Samples of which some can be selected."""

    def taking(self, rows: np.ndarray, fingerprint: str, note: str) -> Self:
        """Return some of the samples, with a fingerprint of their own and a further note."""


S = TypeVar("S", bound=Selectable)


def without_silent(samples: S, silent: Silent) -> S:
    """Return the samples without silent ones, if the dataset skips them; raises BadData for a class that is silent."""
    if silent != "skip":
        return samples
    rows = np.array([row for row in range(len(samples)) if not _is_silent(samples.read(row))], np.int64)
    left_out = len(samples) - len(rows)
    if not left_out:
        return samples
    if samples.task.kind == "single_label":
        _check_classes(samples, rows)
    if not len(rows):
        raise BadData(f"all {len(samples):,} sounds are silent: their samples are zero")
    digest = sha256(samples.fingerprint.encode() + rows.tobytes()).hexdigest()
    return samples.taking(rows, digest, f"{left_out:,} silent sound{'s' * (left_out > 1)} left out")


def _is_silent(clip: Clip) -> bool:
    """Whether a sound that can be read is silent; others are reported when they are read."""
    try:
        return is_silent(clip)
    except (BadData, MissingInput):
        return False


def _check_classes(samples: Samples, rows: np.ndarray) -> None:
    """Raise BadData for a class with no sound left."""
    count = len(samples.task.classes)
    before, after = (np.bincount(targets, minlength=count) for targets in (samples.targets, samples.targets[rows]))
    if silent := np.flatnonzero((before > 0) & (after == 0)).tolist():
        names = ", ".join(f"'{samples.task.classes[code]}'" for code in silent)
        raise BadData(f"all sounds of {names} are silent; set silent: keep")
