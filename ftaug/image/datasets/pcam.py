"""PatchCamelyon dataset: 327,680 images in HDF5 files, read one at a time."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.config.types import FilePath
from ftaug.errors import BadData, Unavailable
from ftaug.image import dataset
from ftaug.image.datasets.torchvision import Content, Source, opened
from ftaug.interfaces.data import Task


def _content(source: Any) -> Content:
    """Read the labels; the images stay in their HDF5 file."""
    import h5py

    images, labels = (source._base_folder / source._FILES[source._split][part][0] for part in ("images", "targets"))
    try:
        with h5py.File(labels) as file:
            targets = np.asarray(file["y"]).reshape(-1).astype(np.int64)
    except (OSError, KeyError) as error:
        raise BadData(f"pcam: {labels} cannot be read: {error}") from None
    return Content([images], targets, ("no tumour", "tumour"))


SOURCE = Source("PCAM", {split: {"split": split} for split in ("train", "val", "test")}, _content)


@dataclass(frozen=True)
class HdfSamples:
    """Images in the dataset `x` of an HDF5 file."""

    file: Path
    targets: np.ndarray  # int64 (n,)
    task: Task
    fingerprint: str
    notes: tuple[str, ...] = ()
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def read(self, index: int) -> np.ndarray:
        """Return the image as uint8 (H, W, 3)."""
        import h5py

        try:
            with h5py.File(self.file) as file:
                return np.asarray(file["x"][index])
        except (OSError, KeyError) as error:
            raise BadData(f"{self.name(index)}: cannot be read: {error}") from None

    def key(self, index: int) -> str:
        """Return the image's index with the file name, independent of its folder."""
        return f"{self.file.name}[{index}]"

    def name(self, index: int) -> str:
        """Name the image by its index in the file."""
        return f"{self.file}[{index}]"


@dataset.register(tasks=("single_label",))
def pcam(split: str, *, path: FilePath, download: bool = False) -> HdfSamples:
    """PatchCamelyon: 96×96 pictures of lymph node tissue, with tumour in the middle or without.

    Settings:
        path: the folder that holds the data as torchvision lays it out, or into which it is downloaded
        download: fetch the data if it is not there

    Reads uint8 (96, 96, 3). Needs the package h5py. The fingerprint is over the labels and the size of the file.
    """
    if importlib.util.find_spec("h5py") is None:
        raise Unavailable("dataset 'pcam' needs h5py: pip install h5py")
    content = SOURCE.content(opened("pcam", SOURCE, split, path, download))
    (images,) = map(Path, content.pictures)
    digest = hashlib.sha256(content.labels.tobytes() + f"{images.name} {images.stat().st_size}".encode())
    return HdfSamples(images, content.labels, Task(tuple(content.classes)), digest.hexdigest())
