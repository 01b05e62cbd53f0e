"""Index the samples in tar and zip archives with labels from folders, .cls or .json files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from ftaug.config.kinds import CLASSES
from ftaug.config.registry import Component
from ftaug.config.types import Doc, FileOrAddress, Text
from ftaug.data.folders.scan import Kind
from ftaug.data.shards.archives import SUFFIXES, Archives, LabelSource, scan_archives
from ftaug.data.shards.index import ShardIndex, index_or_recall
from ftaug.data.shards.labels import Labeled, LabelReader, labels_of_folders
from ftaug.data.shards.paths import shards
from ftaug.data.tables.rows import json_object
from ftaug.data.tables.targets import targets
from ftaug.errors import BadData, ExperimentError, did_you_mean
from ftaug.interfaces.data import TaskKind

ArchivePath = Annotated[
    FileOrAddress,
    Doc(
        "an archive (.tar or .zip), a folder of archives, or several: `train-{000..146}.tar`, `train-*.tar`. Of a "
        "folder with files named after splits, such as `train-0.tar` and `val-0.tar`, those of the split. Or an "
        "address, or several in braces: `https://host/train-{000..146}.tar`"
    ),
]
LabelsFrom = Annotated[
    LabelSource | None,
    Doc(
        "where labels are: `cls`, in a file beside each sample (`0001.cls` for `0001.jpg`) with a name or number; "
        "`json`, in a file `0001.json`; `folder`, the first folder of the path. Unless set, as the first archive has it"
    ),
]
LabelKey = Annotated[Text | None, Doc("the key of the class in the .json files; `label` unless set")]
TargetKeys = Annotated[
    Text | tuple[Text, ...] | None, Doc("in place of label, for regression: a key with a number, or a list of keys")
]
GroupKey = Annotated[Text | None, Doc("a key; a split keeps samples with the same value there on one side")]
ClassList = Annotated[
    tuple[Text, ...] | None,
    Doc("the classes in their order, which labels that are numbers count from 0; otherwise those that occur"),
]
ArchiveRoot = Annotated[Text | None, Doc("the folder in the archives to read, such as `photos/train`; all unless set")]


@dataclass(frozen=True)
class LabelSettings:
    """How the labels of samples in archives are read."""

    labels_from: LabelSource | None
    label: str | None
    target: str | tuple[str, ...] | None
    group: str | None
    classes: tuple[str, ...] | None

    @classmethod
    def of(cls, reader: str, settings: Mapping[str, Any]) -> LabelSettings:
        """Check the settings of a dataset; raises ExperimentError for conflicting ones."""
        chosen = cls(*(settings[key] for key in ("labels_from", "label", "target", "group", "classes")))
        keys = [key for key in ("label", "target", "group") if settings[key] is not None]
        if keys and chosen.labels_from not in (None, "json"):
            raise ExperimentError(
                f"{reader}: {keys[0]} is a key of .json files; leave out labels_from, or set it to json"
            )
        if chosen.classes is not None and chosen.labels_from == "folder":
            raise ExperimentError(f"{reader}: classes is for labels in files; with labels_from: folder leave it out")
        targets(reader, label=chosen.label, target=chosen.target, classes=chosen.classes)
        return chosen

    @property
    def source(self) -> LabelSource | None:
        """Where labels are; None to infer it from the archives."""
        return "json" if (self.label or self.target or self.group) else self.labels_from


def archive_tasks(dataset: Component) -> tuple[TaskKind, ...]:
    """Return the possible tasks of a dataset of archives; raises ExperimentError for conflicting settings."""
    settings = LabelSettings.of(dataset.name, dataset.settings)
    if settings.target is not None:
        return ("regression",)
    return ("single_label",) if settings.labels_from in ("cls", "folder") else CLASSES


def archive_index(
    reader: str, split: str, path: Path | str, kind: Kind, root: str | None, labels: LabelSettings
) -> ShardIndex:
    """Index the archives that a path names; `reader` is the dataset's name in errors. Raises BadData, MissingInput."""
    files = shards(reader, split, path, SUFFIXES)

    def build() -> ShardIndex:
        archives = scan_archives(files, kind, root or "", labels.source)
        if not len(archives.names):
            where = f" in the folder {root}" if root else ""
            rest = "".join(f"; {note}" for note in archives.notes)
            raise BadData(f"{path} holds no {kind.noun}s{where}{rest}")
        return ShardIndex.of(
            archives.names, archives.extents, _labeled(reader, path, kind, archives, labels), archives.notes
        )

    return index_or_recall(files, (reader, kind, root, labels), build)


def _labeled(reader: str, path: Path | str, kind: Kind, archives: Archives, settings: LabelSettings) -> Labeled:
    if archives.label_source == "folder":
        if settings.classes is not None:
            raise BadData(f"{path}: the labels are folders (labels_from: folder); leave out classes")
        return labels_of_folders(path, archives.names)
    is_json = archives.label_source == "json"
    collector = targets(
        reader,
        label=None if settings.target is not None else settings.label or ("label" if is_json else "cls"),
        target=settings.target,
        classes=settings.classes,
    )
    labels = LabelReader(collector, settings.classes, settings.group)
    keys = [*collector.columns, *([settings.group] if settings.group else [])]
    for position, offset in enumerate(archives.label_offsets.tolist()):
        shard = archives.extents.shards[archives.extents.shard_of[position]]

        def name(position: int = position, file: str = shard.path) -> str:
            stem = os.fsdecode(archives.names[position]).rpartition(".")[0]
            return f"{file}/{stem}.{archives.label_source}"

        content = shard.read(offset, int(archives.label_sizes[position]))
        with labels.collecting(name):
            values = _json_values(content, keys) if is_json else [_cls_value(content)]
            labels.add(name, values[: len(collector.columns)], values[-1] if settings.group else None)
    return labels.finish(path, kind.noun)


def _cls_value(content: bytes) -> str | int:
    """Return the label in a .cls file: a number or a name; raises BadData."""
    text = _text(content).strip()
    return int(text) if text.removeprefix("-").isascii() and text.removeprefix("-").isdecimal() else text


def _json_values(content: bytes, keys: list[str]) -> list[Any]:
    """Return the values of keys in a .json file; raises BadData."""
    record = json_object(_text(content))
    for key in keys:
        if key not in record:
            raise BadData(f"no key '{key}'{did_you_mean(key, record)}")
    return [record[key] for key in keys]


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadData("is not UTF-8") from None
