"""Classification datasets of torchvision."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.config.types import FilePath
from ftaug.data.packed import Packed
from ftaug.errors import BadData, ExperimentError, MissingInput
from ftaug.image import dataset
from ftaug.image.datasets.arrays import ArraySamples, fingerprint, shared
from ftaug.image.datasets.index import FileSamples
from ftaug.interfaces.data import Task


@dataclass(frozen=True)
class Content:
    """Content of a torchvision dataset: images or their file paths, labels and class names."""

    pictures: np.ndarray | Sequence[str | Path]
    labels: np.ndarray
    classes: Sequence[str]


@dataclass(frozen=True)
class Source:
    """A torchvision dataset class, its keyword arguments for each split, and a function that reads its content."""

    type: str
    splits: Mapping[str, Mapping[str, Any]]
    content: Callable[[Any], Content]
    downloads: bool = True


def _array(labels: str = "targets", classes: Sequence[str] | None = None) -> Callable[[Any], Content]:
    """Read images (N, H, W) or (N, H, W, 3) from the attribute `data`, an array or a tensor."""
    return lambda source: Content(
        np.asarray(source.data), np.asarray(getattr(source, labels), np.int64), classes or source.classes
    )


def _planes(labels: str, classes: Sequence[str] | None = None) -> Callable[[Any], Content]:
    """Read channels-first images (N, 3, H, W) from the attribute `data`."""
    return lambda source: Content(
        source.data.transpose(0, 2, 3, 1), np.asarray(getattr(source, labels), np.int64), classes or source.classes
    )


def _emnist(source: Any) -> Content:
    """Read EMNIST: images are stored transposed, and `letters` begins with an empty class."""
    empty = int(source.classes[0] == "N/A")
    return Content(
        np.asarray(source.data).transpose(0, 2, 1), np.asarray(source.targets) - empty, source.classes[empty:]
    )


def _qmnist(source: Any) -> Content:
    """Read QMNIST, whose first of eight labels is the class."""
    return Content(np.asarray(source.data), np.asarray(source.targets)[:, 0], source.classes)


def _files(paths: str = "_image_files") -> Callable[[Any], Content]:
    """Read paths and labels from two lists."""
    return lambda source: Content(getattr(source, paths), np.array(source._labels), source.classes)


def _pairs(attribute: str, classes: Sequence[str] | None = None) -> Callable[[Any], Content]:
    """Read (path, label) pairs from a list; a class with several names uses the first."""

    def content(source: Any) -> Content:
        pairs = getattr(source, attribute)
        names = [name if isinstance(name, str) else name[0] for name in classes or source.classes]
        return Content([path for path, _ in pairs], np.array([label for _, label in pairs]), names)

    return content


def _caltech(folder: str, name: str) -> Callable[[Any], Content]:
    """Read Caltech datasets, whose files are numbered within their class."""

    def content(source: Any) -> Content:
        numbered = zip(source.y, source.index, strict=True)
        paths = [f"{folder}/{source.categories[y]}/{name.format(y=y + 1, number=number)}" for y, number in numbered]
        return Content([Path(source.root, path) for path in paths], np.array(source.y), source.categories)

    return content


_DIGITS = tuple(str(digit) for digit in range(10))
_TRAIN_FLAG = {"train": {"train": True}, "test": {"train": False}}
_TWO = {"train": {"split": "train"}, "test": {"split": "test"}}
_THREE = {"train": {"split": "train"}, "val": {"split": "val"}, "test": {"split": "test"}}
_WHOLE: Mapping[str, Mapping[str, Any]] = {"train": {}}

_EMNIST = {
    f"emnist_{subset}": Source(
        "EMNIST", {name: {"split": subset, **keywords} for name, keywords in _TRAIN_FLAG.items()}, _emnist
    )
    for subset in ("balanced", "byclass", "bymerge", "digits", "letters", "mnist")
}
_IMAGENETTE = {
    name: Source(
        "Imagenette", {split: {"split": split, "size": size} for split in ("train", "val")}, _pairs("_samples")
    )
    for name, size in {"imagenette": "full", "imagenette_160px": "160px", "imagenette_320px": "320px"}.items()
}

SOURCES: Mapping[str, Source] = {
    "caltech101": Source("Caltech101", _WHOLE, _caltech("101_ObjectCategories", "image_{number:04d}.jpg")),
    "caltech256": Source("Caltech256", _WHOLE, _caltech("256_ObjectCategories", "{y:03d}_{number:04d}.jpg")),
    "cifar10": Source("CIFAR10", _TRAIN_FLAG, _array()),
    "cifar100": Source("CIFAR100", _TRAIN_FLAG, _array()),
    "country211": Source("Country211", {**_THREE, "val": {"split": "valid"}}, _pairs("samples")),
    "dtd": Source("DTD", _THREE, _files()),
    "emnist": _EMNIST["emnist_balanced"],
    **_EMNIST,
    "eurosat": Source("EuroSAT", _WHOLE, _pairs("samples")),
    "fashion_mnist": Source("FashionMNIST", _TRAIN_FLAG, _array()),
    "fgvc_aircraft": Source("FGVCAircraft", _THREE, _files()),
    "flowers102": Source("Flowers102", _THREE, _files()),
    "food101": Source("Food101", _TWO, _files()),
    "gtsrb": Source("GTSRB", _TWO, _pairs("_samples", [str(sign) for sign in range(43)])),
    **_IMAGENETTE,
    "kmnist": Source("KMNIST", _TRAIN_FLAG, _array()),
    "mnist": Source("MNIST", _TRAIN_FLAG, _array()),
    "oxford_iiit_pet": Source("OxfordIIITPet", {**_TWO, "train": {"split": "trainval"}}, _files("_images")),
    "qmnist": Source("QMNIST", _TRAIN_FLAG, _qmnist),
    "rendered_sst2": Source("RenderedSST2", _THREE, _pairs("_samples")),
    "semeion": Source("SEMEION", _WHOLE, _array("labels", _DIGITS)),
    "stanford_cars": Source("StanfordCars", _TWO, _pairs("_samples"), downloads=False),
    "stl10": Source("STL10", _TWO, _planes("labels")),
    "sun397": Source("SUN397", _WHOLE, _files()),
    "svhn": Source("SVHN", _TWO, _planes("labels", _DIGITS)),
    "usps": Source("USPS", _TRAIN_FLAG, _array("targets", _DIGITS)),
}


@dataset.family(tuple(SOURCES), tasks=("single_label",))
def torchvision(name: str, split: str, *, path: FilePath, download: bool = False) -> ArraySamples | FileSamples:
    """A dataset of torchvision by its name there, with the splits that its authors made.

    Settings:
        path: the folder that holds the data as torchvision lays it out, or into which it is downloaded
        download: fetch the data if it is not there

    Where the authors made no validation split, take one: `val: {split: 10%}`. `emnist` is its balanced subset; the
    others are `emnist_letters` and so on. EMNIST's pictures are turned upright.
    Reads uint8 (H, W) or (H, W, 3) where the data is an array, the encoded bytes where it is files.
    """
    source = SOURCES[name]
    content = source.content(opened(name, source, split, path, download))
    task = Task(tuple(content.classes))
    if not isinstance(content.pictures, np.ndarray):
        return _listed(path, content, task)
    pictures = np.ascontiguousarray(content.pictures)
    digest = fingerprint(pictures, content.labels)
    positions = np.arange(len(pictures))
    return shared(ArraySamples(f"{name}.{split}", pictures, content.labels, task, positions, digest))


def opened(name: str, source: Source, split: str, path: Path, download: bool) -> Any:
    """Instantiate torchvision's dataset; raises ExperimentError, MissingInput, BadData."""
    import torchvision.datasets

    if split not in source.splits:
        there = " and ".join(f"'{offered}'" for offered in source.splits)
        raise ExperimentError(
            f"data.{split}: {name} has no '{split}' split, only {there}; "
            f"to take one from training write {split}: {{split: 20%}}"
        )
    if download and not source.downloads:
        raise MissingInput(f"{name} cannot be downloaded any more: put the data into {path} and remove download")
    fetch = {"download": download} if source.downloads else {}
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return getattr(torchvision.datasets, source.type)(path, **source.splits[split], **fetch)
    except (RuntimeError, FileNotFoundError) as error:
        hint = "" if download or not source.downloads else ", or set download: true"
        raise MissingInput(
            f"{name} is not in {path} as torchvision's {source.type} lays it out ({_line(error)}); check path{hint}"
        ) from error
    except (OSError, ValueError, KeyError, EOFError) as error:
        if download:
            raise MissingInput(f"{name} could not be downloaded into {path}: {_line(error)}") from error
        raise BadData(f"{name}: the data in {path} cannot be read: {_line(error)}") from error


def _line(error: Exception) -> str:
    """Format an error of torchvision in one line, without its advice on Python code."""
    return " ".join(str(error).split()).partition(". You can use")[0] or type(error).__name__


def _listed(root: Path, content: Content, task: Task) -> FileSamples:
    """Return file samples sorted by the bytes of their paths."""
    base = os.fsencode(root) + b"/"
    paths = [os.fsencode(path).removeprefix(base) for path in content.pictures]
    order = sorted(range(len(paths)), key=paths.__getitem__)
    digest = hashlib.sha256("\0".join(task.classes).encode())
    for index in order:
        try:
            size = os.stat(base + paths[index]).st_size  # noqa: PTH116 - a Path for each of a million files is slow
        except OSError:
            raise MissingInput(f"{os.fsdecode(base + paths[index])} is listed by the dataset but missing") from None
        digest.update(b"%b\0%d\0%d\0" % (paths[index], size, content.labels[index]))
    suffixes = {path.rpartition(b".")[2].lower() for path in paths}
    kind = PixmapSamples if suffixes == {b"ppm"} else FileSamples
    packed = Packed.of(paths[index] for index in order)
    return kind(root, packed, content.labels[order].astype(np.int64), task, digest.hexdigest())


class PixmapSamples(FileSamples):
    """Portable pixmap files (PPM), a format that ftaug does not decode elsewhere: read as arrays."""

    def read(self, index: int) -> Any:
        """Return the image as uint8 (H, W, 3)."""
        from PIL import Image

        try:
            return np.array(Image.open(io.BytesIO(self.content(index)), formats=["PPM"]).convert("RGB"))
        except (OSError, ValueError) as error:
            raise BadData(f"{self.name(index)}: not a complete portable pixmap: {error}") from None
