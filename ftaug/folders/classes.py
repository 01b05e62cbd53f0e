"""The classes that a folder holds, one folder each, and what is refused."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ftaug.errors import BadData, MissingInput, did_you_mean
from ftaug.folders.index import scan_or_recall
from ftaug.folders.scan import Kind, Scan

SPLITS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
_SPLIT_NAMES = {name for names in SPLITS.values() for name in names}


def class_folders(reader: str, split: str, path: Path, kind: Kind, *, outside_links: bool) -> Scan:
    """Walk the folder for a dataset, named for its errors; raises BadData for what are no classes, or an empty class.

    Outside training a class may be empty.
    """
    check_folder(reader, path)
    found = scan_or_recall(path.resolve(), kind, outside_links=outside_links)
    _check_classes(reader, split, path, kind, found)
    return found


def check_folder(reader: str, path: Path) -> None:
    """Refuse a path that is not a folder, and name a similar one beside it."""
    if path.is_dir():
        return
    if path.exists():
        raise MissingInput(f"{path} is a file; {reader} needs a folder that holds one folder per class")
    ancestor = next((parent for parent in path.parents if parent.is_dir()), Path("/"))
    missing = path.relative_to(ancestor).parts[0]
    hint = did_you_mean(missing, [entry.name for entry in os.scandir(ancestor) if entry.is_dir()])
    raise MissingInput(f"no folder {path}: {ancestor} has no folder '{missing}'{hint}")


def splits(folder: Path) -> dict[str, Path]:
    """The folders of train, val and test, or the folder itself where it holds classes."""
    inside = {entry.name.lower(): entry for entry in folder.iterdir() if entry.is_dir()}
    found = {part: inside[name] for part, names in SPLITS.items() for name in names if name in inside}
    if "train" in found and len(found) == sum(not name.startswith(".") for name in inside):
        return found
    return {"train": folder}


def _check_classes(reader: str, split: str, path: Path, kind: Kind, found: Scan) -> None:
    """Refuse folders that do not hold one folder for each class."""
    classes = found.classes
    if "train" in classes and {name.lower() for name in classes} <= _SPLIT_NAMES:
        raise BadData(
            f"{path} holds the splits {_listed(classes)}, not classes; write one line for each: "
            + ", ".join(f"{_split_key(name)}: {{{reader}: {{path: {path / name}}}}}" for name in classes)
        )
    if not classes:
        loose = f"; it holds {found.loose} {kind.noun}s that are in no class folder" if found.loose else ""
        raise BadData(f"{path} holds no class folders with {kind.noun}s (expected {path}/<class>/<{kind.noun}>){loose}")
    if twins := _twins(classes):
        raise BadData(f"{path} has classes whose names differ only in case or encoding: {_listed(twins)}; rename one")
    counts = np.bincount(found.targets, minlength=len(classes))
    empty = [name for name, count in zip(classes, counts, strict=True) if count == 0]
    if empty and split == "train":
        raise BadData(f"{path} has classes without a {kind.noun}: {_listed(empty)}; of the classes {_listed(classes)}")


def _split_key(name: str) -> str:
    return next(key for key in ("train", "val", "test") if name.lower().startswith(key))


def _twins(classes: Sequence[str]) -> list[str]:
    """The classes that another one equals but for case or Unicode form."""
    folded = [unicodedata.normalize("NFC", name).casefold() for name in classes]
    return [name for name, key in zip(classes, folded, strict=True) if folded.count(key) > 1]


def _listed(names: Sequence[str]) -> str:
    shown = [f"'{name}'" for name in names[:20]]
    return ", ".join(shown) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
