"""Samples with a disk cache of what is decoded from their files; a modality says what is stored, and reads it."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.errors import StorageError, disk_advice
from ftaug.interfaces.data import Samples, Task

Stamp = tuple[int, int]
"""Size and modification time of a file, to detect changes."""


@dataclass(frozen=True)
class CachedSamples:
    """Samples whose decoded content is in files of a folder.

    Files are written under a temporary name and renamed, so that any number of processes may share the folder and be
    killed.
    """

    samples: Samples
    folder: Path
    must_keep: bool  # whether a full disk is an error; otherwise what does not fit is decoded each time

    @property
    def task(self) -> Task:
        """Return that of the wrapped samples."""
        return self.samples.task

    @property
    def targets(self) -> np.ndarray:
        """Return that of the wrapped samples."""
        return self.samples.targets

    @property
    def groups(self) -> np.ndarray | None:
        """Return that of the wrapped samples."""
        return self.samples.groups

    @property
    def places(self) -> np.ndarray | None:
        """Return that of the wrapped samples, if they are in shards."""
        return getattr(self.samples, "places", None)

    @property
    def fingerprint(self) -> str:
        """Return that of the wrapped samples."""
        return self.samples.fingerprint

    @property
    def notes(self) -> tuple[str, ...]:
        """Return that of the wrapped samples."""
        return self.samples.notes

    def __len__(self) -> int:
        return len(self.samples)

    def name(self, index: int) -> str:
        """Name the sample as its source does."""
        return self.samples.name(index)

    def read(self, index: int) -> Any:
        """Return the sample, from the cache if possible."""
        raise NotImplementedError

    def file(self, index: int) -> str:
        """Return the path of a sample's file in the cache."""
        return f"{self.folder}/{index // 1000}/{index}"

    def keep(self, file: str, head: bytes, content: bytes | memoryview) -> None:
        """Write a file of the cache; raises StorageError if it must be kept and cannot be."""
        folder = Path(file).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=folder, suffix=".partial", delete=False) as written:
                try:
                    written.write(head)
                    written.write(content)
                    written.close()
                    Path(written.name).replace(file)
                except OSError:
                    Path(written.name).unlink()
                    raise
        except OSError as error:
            if self.must_keep:
                text = f"{self.folder}: cannot cache decoded samples: {error.strerror}"
                raise StorageError(f"{text}; {disk_advice(error.errno)}, or leave data.cache out") from error


def stamp_of(source: Any) -> Stamp:
    """Return the stamp of a source; zeros if it is no file, so that the fingerprint of all samples has to do."""
    try:
        status = os.stat(source)  # noqa: PTH116  pathlib takes three times as long
    except (OSError, TypeError):
        return 0, 0
    return status.st_size, status.st_mtime_ns
