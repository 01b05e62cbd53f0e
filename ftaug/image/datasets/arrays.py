"""Labeled images stored in one array."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.data.cache_dirs import cache_folder
from ftaug.interfaces.data import Task

_LARGE = 16 << 20  # bytes from which on workers share the pictures through a file


@dataclass(frozen=True)
class ArraySamples:
    """Images of one size in one array; `positions` are their indices in the source, for names such as `digits[12]`."""

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
        """Return a copy of the image as uint8 (H, W) or (H, W, 3)."""
        return np.array(self.pictures[index])

    def name(self, index: int) -> str:
        """Name the image by its index in the source."""
        return f"{self.source}[{self.positions[index]}]"

    def __getstate__(self) -> dict[str, Any]:
        """Pickle a memory-mapped array as its file name, so that workers share it."""
        if not isinstance(self.pictures, np.memmap):
            return self.__dict__
        return {**self.__dict__, "pictures": Path(str(self.pictures.filename))}

    def __setstate__(self, state: dict[str, Any]) -> None:
        pictures = state["pictures"]
        self.__dict__.update(state)
        self.__dict__["pictures"] = np.load(pictures, mmap_mode="r") if isinstance(pictures, Path) else pictures


def fingerprint(*arrays: np.ndarray) -> str:
    """Return the SHA-256 of the dtype, shape and content of arrays."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def shared(samples: ArraySamples) -> ArraySamples:
    """Memory-map large arrays from a cache file, so that workers share one copy; small arrays stay in memory."""
    if samples.pictures.nbytes < _LARGE:
        return samples
    file = cache_folder() / "arrays" / f"{samples.fingerprint[:32]}.npy"
    if (mapped := _mapped(file, samples)) is None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=file.parent, suffix=".partial", delete=False) as partial:
                np.save(partial, samples.pictures, allow_pickle=False)
            Path(partial.name).replace(file)
        except OSError:
            return samples
        mapped = _mapped(file, samples)
    return samples if mapped is None else replace(samples, pictures=mapped)


def _mapped(file: Path, samples: ArraySamples) -> np.ndarray | None:
    """Memory-map the images in a file; None if it is missing or has other content."""
    try:
        pictures: np.ndarray = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return pictures if fingerprint(pictures, samples.targets) == samples.fingerprint else None
