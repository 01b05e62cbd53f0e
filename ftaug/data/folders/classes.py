"""Read class folders (as torchvision's ImageFolder) and validate them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ftaug.config.wording import listed
from ftaug.data import names
from ftaug.data.folders.index import scan_or_recall
from ftaug.data.folders.scan import Kind, Scan
from ftaug.errors import BadData, MissingInput, did_you_mean, one_of, printable


def class_folders(reader: str, split: str, path: Path, kind: Kind, *, outside_links: bool) -> Scan:
    """Scan a folder of class folders; `reader` is the dataset's name in errors.

    Raises BadData for a folder without classes, ambiguous class names or an empty training class, and MissingInput.
    """
    check_folder(reader, path)
    contents = scan_or_recall(path.resolve(), kind, outside_links=outside_links)
    _check_classes(reader, split, path, kind, contents)
    return _with_sorted_classes(contents)


def _with_sorted_classes(contents: Scan) -> Scan:
    """Normalize the class names and sort the classes."""
    class_names = [names.normalized(folder) for folder in contents.classes]
    classes = names.ordered(class_names)
    return replace(
        contents, classes=tuple(classes), targets=np.array([*map(classes.index, class_names)])[contents.targets]
    )


def check_folder(reader: str, path: Path) -> None:
    """Raise MissingInput if the path is not a folder; suggest a similar name."""
    if path.is_dir():
        return
    if path.exists():
        raise MissingInput(f"{path} is a file; {reader} needs a folder that holds one folder per class")
    ancestor = next((parent for parent in path.parents if parent.is_dir()), Path("/"))
    missing = path.relative_to(ancestor).parts[0]
    hint = did_you_mean(missing, [entry.name for entry in os.scandir(ancestor) if entry.is_dir()])
    raise MissingInput(f"no folder {path}: {ancestor} has no folder '{missing}'{hint}")


def splits(folder: Path) -> dict[str, Path]:
    """Return the folders of train, val and test; or the folder itself as train if it holds classes.

    Print folders that are ignored beside the splits to stderr.
    """
    inside = [entry for entry in sorted(folder.iterdir()) if entry.is_dir() and not entry.name.startswith(".")]
    by_split = {names.split_name(entry.name): entry for entry in inside if names.is_split(entry.name)}
    others = [entry for entry in inside if entry not in by_split.values()]
    if "train" in by_split and (len(by_split) > 1 or not others or _shares_classes(by_split["train"], others)):
        if others:
            left_out = _quoted([entry.name for entry in others])
            print(printable(f"{folder}: ignored beside the splits: {left_out}"), file=sys.stderr)
        return {split: by_split[split] for split in ("train", "val", "test") if split in by_split}
    return {"train": folder}


def _shares_classes(train: Path, others: Sequence[Path]) -> bool:
    """Whether a lone folder `train` is a split rather than a class: another folder has the same subfolders."""
    inside = [{entry.name for entry in folder.iterdir() if entry.is_dir()} for folder in (train, *others)]
    return any(len(inside[0] & other) > 1 for other in inside[1:])


def _check_classes(reader: str, split: str, path: Path, kind: Kind, contents: Scan) -> None:
    """Raise BadData for folders that are not one folder per class."""
    classes = contents.classes
    splits_there = [name for name in classes if names.is_split(name)]
    train = next((name for name in splits_there if names.split_name(name) == "train"), None)
    beside = [path / name for name in classes if name != train]
    if train is not None and (len(splits_there) > 1 or not beside or _shares_classes(path / train, beside)):
        others = [name for name in classes if name not in splits_there]
        raise BadData(
            f"{path} holds the splits {_quoted(splits_there)}{f' beside {_quoted(others)}' if others else ''}, not "
            "classes; write one line for each: "
            + ", ".join(f"{names.split_name(name)}: {{{reader}: {{path: {path / name}}}}}" for name in splits_there)
        )
    ignored = "".join(f"; {note}" for note in contents.notes)
    if not classes:
        loose = f"; it holds {contents.loose} {kind.noun}s that are in no class folder" if contents.loose else ignored
        raise BadData(f"{path} holds no class folders with {kind.noun}s (expected {path}/<class>/<{kind.noun}>){loose}")
    if twins := [name for group in names.twins(classes) for name in group]:
        raise BadData(
            f"{path} has classes whose names differ only in case, spacing or encoding: {_quoted(twins)}; rename one"
        )
    counts = np.bincount(contents.targets, minlength=len(classes))
    empty = [name for name, count in zip(classes, counts, strict=True) if count == 0]
    if empty and split == "train":
        raise BadData(
            f"{path} has classes without a {kind.noun}: {_quoted(empty)}; of the classes {_quoted(classes)}{ignored}; "
            f"supported: {one_of([suffix.decode() for suffix in kind.suffixes])}"
        )


def _quoted(names: Sequence[str]) -> str:
    return listed([f"'{name}'" for name in names], 20)
