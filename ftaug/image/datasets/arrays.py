"""Labelled pictures held as one array."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from ftaug.interfaces import Task


@dataclass(frozen=True)
class ArraySamples:
    """Pictures of one size in one array; `positions` are their places in the source, for names such as `digits[12]`."""

    source: str
    pictures: np.ndarray  # uint8 (n, H, W) or (n, H, W, 3)
    targets: np.ndarray  # int64 (n,)
    task: Task
    positions: np.ndarray  # int64 (n,)
    fingerprint: str
    notes: tuple[str, ...] = ()
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def read(self, index: int) -> np.ndarray:
        """Return the picture as uint8 (H, W) or (H, W, 3)."""
        return np.asarray(self.pictures[index])

    def name(self, index: int) -> str:
        """Name the picture by its place in the source."""
        return f"{self.source}[{self.positions[index]}]"


def fingerprint(*arrays: np.ndarray) -> str:
    """The sha256 over shape, type and content of arrays."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
