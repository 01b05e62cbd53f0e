"""Labeled sound files, indexed without a Python object per file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.audio.clip import Channels, Clip, Silent
from ftaug.data.packed import Packed
from ftaug.data.retries import read_with_retries
from ftaug.data.tables.further_columns import FurtherColumns
from ftaug.errors import BadData
from ftaug.interfaces.data import SplitRows, Task


@dataclass(frozen=True)
class SoundSamples:
    """Sound files below a root folder, or parts of them, with their targets."""

    root: Path
    paths: Packed  # relative to the root
    targets: np.ndarray
    task: Task
    fingerprint: str
    notes: tuple[str, ...] = ()
    groups: np.ndarray | None = None
    channels: Channels = "mix"
    spans: np.ndarray | None = None  # float64 (n, 2): start and end in seconds; the end may be infinite
    split_rows: SplitRows | None = None
    keys: np.ndarray | None = None  # int64 (n,): equal for the same part of the same file
    further_columns: FurtherColumns | None = None  # of the table that lists the samples
    soft_targets: np.ndarray | None = None  # float32 (n, classes)
    silent: Silent = "error"

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, index: int) -> Clip:
        """Return the sound, whose samples are read when they are needed."""
        file = f"{self.root}/{os.fsdecode(self.paths[index])}"
        if self.spans is None:
            return Clip(file, channels=self.channels, silent=self.silent)
        start, end = self.spans[index].tolist()
        return Clip(file, start, None if np.isinf(end) else end, self.channels, self.silent)

    def content(self, index: int) -> bytes:
        """Return the file's bytes; raises BadData for a part of one."""
        if self._part(index):
            raise BadData("is a part of a file")
        file = f"{self.root}/{os.fsdecode(self.paths[index])}"
        return read_with_retries(file, Path(file).read_bytes)

    def taking(self, rows: np.ndarray, fingerprint: str, note: str) -> SoundSamples:
        """Return some of the sounds, with a fingerprint of their own and a further note."""
        columns = self.further_columns
        by_row = ("targets", "groups", "spans", "keys", "soft_targets")
        arrays: dict[str, Any] = {
            name: None if (array := getattr(self, name)) is None else array[rows] for name in by_row
        }
        return replace(
            self,
            paths=self.paths.take(rows),
            fingerprint=fingerprint,
            notes=(*self.notes, note),
            further_columns=None if columns is None else replace(columns, lines=columns.lines[rows]),
            **arrays,
        )

    def key(self, index: int) -> str:
        """Return the path relative to the root, with the part if it is one."""
        return os.fsdecode(self.paths[index]) + self._part(index)

    def columns(self) -> Mapping[str, Sequence[str]]:
        """Read the further columns of the table that lists the samples."""
        return {} if self.further_columns is None else self.further_columns.read()

    def name(self, index: int) -> str:
        """Name the sound by its path, with the part if it is one."""
        return f"{self.root}/{self.key(index)}"

    def _part(self, index: int) -> str:
        if self.spans is None:
            return ""
        start, end = self.spans[index].tolist()
        return "" if start == 0 and np.isinf(end) else f"[{start:g}:{'' if np.isinf(end) else format(end, 'g')}]"


def fingerprint_with(fingerprint: str, channels: Channels) -> str:
    """Return the fingerprint of sounds of which these channels are read."""
    return fingerprint if channels == "mix" else sha256(f"{fingerprint} {channels}".encode()).hexdigest()
