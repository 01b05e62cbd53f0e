"""Pictures in one folder per class."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ftaug.config.types import FilePath
from ftaug.errors import BadData, MissingInput, did_you_mean
from ftaug.image import dataset
from ftaug.image.datasets.cache import scan_or_recall
from ftaug.image.datasets.index import FileSamples
from ftaug.image.datasets.scan import Scan
from ftaug.interfaces import Task

_SPLIT_NAMES = {"train", "training", "val", "valid", "validation", "test", "testing"}


@dataset.register
def image_folder(split: str, *, path: FilePath, outside_links: bool = False) -> FileSamples:
    """Pictures in one folder per class: `path/cat/1.jpg`, `path/dog/2.png`; deeper folders belong to their class.

    Settings:
        path: the folder that holds the class folders; name one folder for each split
        outside_links: follow symbolic links that lead out of the folder

    Classes and files are in the order of their names' bytes. Read: .jpg .jpeg .png .webp .bmp .tif .tiff .gif in any
    case. Hidden and system files are ignored, links back into a folder already read are skipped; the notes count both.
    Reads the encoded bytes.
    """
    check_folder(path)
    found = scan_or_recall(path.resolve(), outside_links=outside_links)
    _check_classes(path, found)
    return FileSamples(path, found.paths, found.targets, Task(tuple(found.classes)), found.fingerprint, found.notes)


def check_folder(path: Path) -> None:
    """Refuse a path that is not a folder, and name a similar one beside it."""
    if path.is_dir():
        return
    if path.exists():
        raise MissingInput(f"{path} is a file; image_folder needs a folder that holds one folder per class")
    ancestor = next((parent for parent in path.parents if parent.is_dir()), Path("/"))
    missing = path.relative_to(ancestor).parts[0]
    hint = did_you_mean(missing, [entry.name for entry in os.scandir(ancestor) if entry.is_dir()])
    raise MissingInput(f"no folder {path}: {ancestor} has no folder '{missing}'{hint}")


def _check_classes(path: Path, found: Scan) -> None:
    """Refuse folders from which no classifier can be learnt."""
    classes = found.classes
    if "train" in classes and {name.lower() for name in classes} <= _SPLIT_NAMES:
        raise BadData(
            f"{path} holds the splits {_listed(classes)}, not classes; write one line for each: "
            + ", ".join(f"{_split_key(name)}: {{image_folder: {{path: {path / name}}}}}" for name in classes)
        )
    if not classes:
        loose = f"; it holds {found.loose} pictures that are in no class folder" if found.loose else ""
        raise BadData(f"{path} holds no class folders with pictures (expected {path}/<class>/<picture>){loose}")
    if twins := _twins(classes):
        raise BadData(f"{path} has classes whose names differ only in case or encoding: {_listed(twins)}; rename one")
    counts = np.bincount(found.targets, minlength=len(classes))
    if empty := [name for name, count in zip(classes, counts, strict=True) if count == 0]:
        raise BadData(f"{path} has classes without a picture: {_listed(empty)}; of the classes {_listed(classes)}")
    if len(classes) == 1:
        raise BadData(f"{path} has only one class, {_listed(classes)}; two or more are needed to tell apart")


def _split_key(name: str) -> str:
    return next(key for key in ("train", "val", "test") if name.lower().startswith(key))


def _twins(classes: Sequence[str]) -> list[str]:
    """The classes that another one equals but for case or Unicode form."""
    folded = [unicodedata.normalize("NFC", name).casefold() for name in classes]
    return [name for name, key in zip(classes, folded, strict=True) if folded.count(key) > 1]


def _listed(names: Sequence[str]) -> str:
    shown = [f"'{name}'" for name in names[:20]]
    return ", ".join(shown) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
