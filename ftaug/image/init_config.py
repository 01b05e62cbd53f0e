"""Write the initial experiment file (`ftaug init`) for a folder or a table of images."""

from __future__ import annotations

import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ftaug.data.folders.classes import check_folder, splits
from ftaug.data.folders.named import below, relative_path
from ftaug.data.shards.containers import container_at
from ftaug.data.tables.rows import SUFFIXES as TABLES
from ftaug.errors import BadData, printable
from ftaug.image import backbone as backbones
from ftaug.image.datasets.columns import hf_disk, image_parquet
from ftaug.image.datasets.folder import image_folder
from ftaug.image.datasets.index import SUFFIXES, FileSamples
from ftaug.image.datasets.shards import StoredPictures, image_shards
from ftaug.image.datasets.table import image_table
from ftaug.image.infer_columns import READ, UNREAD, Guess, check_formats, guess, rows_of_pictures
from ftaug.image.io.decode import probe
from ftaug.image.recipe import PictureFacts, recipe
from ftaug.interfaces.data import Task
from ftaug.interfaces.modality import RequestedModel
from ftaug.recipes.containers import container_layout, samples_in_container
from ftaug.recipes.layout import COLUMNS_GUESSED, Layout, by_split, group_hint, print_notes, table_settings
from ftaug.recipes.model import model, registered, requested_name
from ftaug.recipes.recipe import class_counts
from ftaug.recipes.unreadable import report_unreadable, with_name
from ftaug.recipes.writer import experiment_text

CONTAINERS: dict[str, Callable[..., StoredPictures]] = {
    "shards": image_shards,
    "parquet": image_parquet,
    "hf_disk": hf_disk,
}

MEASURED = 64  # number of images whose size is read


def samples_in(path: Path) -> int:
    """Count the images below a folder or in a table, including those in unsupported formats."""
    if count := samples_in_container(path, "picture", SUFFIXES):
        return count
    if path.is_dir():
        return len(below(path, SUFFIXES)) or len(below(path, [suffix.encode() for suffix in UNREAD]))
    return rows_of_pictures(path) if path.name.lower().endswith(TABLES) else 0


def experiment(path: Path, target: Path, requested: RequestedModel) -> str:
    """Return the text of an experiment file for a folder or a table; raises BadData, ExperimentError, MissingInput."""
    name = requested_name(requested)
    chosen = model(registered(backbones, name), requested.weights, target) if name is not None else None
    train, layout = _layout(path, target)
    print_notes(train)
    height, width, broken = _median_size(train, target)
    targets = np.delete(train.targets, broken, axis=0)
    class_sizes = class_counts(train.task, targets)
    facts = PictureFacts(train.task.kind, len(targets), class_sizes, chosen, height=height, width=width)
    counts = [f"{name} {count}" for name, count in facts.counts.items()]
    description = f"{_description(train.task)}, about {width}×{height} pixels{':' * bool(counts)}"
    header = [
        f"Written by `ftaug init` for {path}.",
        f"{facts.samples} training pictures {description}",
        *([", ".join(counts[:8]) + ", …" * (len(counts) > 8)] if counts else []),
        "All that can be set: ftaug list. Try it: ftaug preview THIS_FILE, then ftaug train THIS_FILE.",
    ]
    return experiment_text(header, [], layout, facts.samples, recipe(facts))


def _layout(path: Path, target: Path) -> tuple[FileSamples | StoredPictures, Layout]:
    """Return the training samples, and the dataset of each split."""
    kind = container_at(path)
    is_table = path.name.lower().endswith(TABLES)
    if kind is not None and (not is_table or samples_in_container(path, "picture", SUFFIXES)):
        return container_layout(CONTAINERS[kind], path, target)
    return _of_table(path, target) if is_table else _of_folder(path, target)


def _of_folder(path: Path, target: Path) -> tuple[FileSamples, Layout]:
    check_folder("image_folder", path)
    files = [*map(os.fsdecode, below(path, [suffix.encode() for suffix in (*READ, *UNREAD)]))]
    check_formats(str(path), files)
    if unread := [file for file in files if file.lower().endswith(UNREAD)]:
        print(printable(f"not read: {len(unread):,} files such as {unread[0]}"), file=sys.stderr)
    folders = splits(path)
    datasets = {split: {"image_folder": {"path": relative_path(at, target)}} for split, at in folders.items()}
    return image_folder("train", path=folders["train"]), Layout(datasets)


def _of_table(path: Path, target: Path) -> tuple[FileSamples, Layout]:
    columns = guess(path)

    def read(split: str) -> FileSamples:
        return _read(path, columns, split)

    settings = {"path": relative_path(path, target), "image": columns.image, **table_settings(columns.targets)}
    settings |= {"root": relative_path(columns.root, target)} if columns.root is not None else {}
    datasets = by_split(read, columns.targets, {"image_table": settings})
    return read("train"), Layout(datasets, COLUMNS_GUESSED, group_hint(columns.targets, "image_table"))


def _read(path: Path, columns: Guess, split: str) -> FileSamples:
    """Return the samples of a split."""
    targets = columns.targets
    return image_table(
        split,
        path=path.resolve(),
        image=columns.image,
        label=targets.label,
        target=targets.target,
        labels_separator=targets.separator,
        split_column=targets.split,
        root=columns.root,
    )


def _median_size(samples: FileSamples | StoredPictures, target: Path) -> tuple[int, int, list[int]]:
    """Return the median height and width of a sample of the images, and the indices of unreadable ones; print those."""
    sizes: list[tuple[int, int]] = []
    broken: dict[int, str] = {}
    for index in sorted({len(samples) * step // MEASURED for step in range(MEASURED)}):
        try:
            sizes.append(probe(samples.content(index)))
        except BadData as error:
            broken[index] = with_name(samples.name(index), error)
    report_unreadable([*broken.values()], len(sizes), "pictures", target)
    height, width = (round(statistics.median(lengths)) for lengths in zip(*sizes, strict=True))
    return height, width, [*broken]


def _description(task: Task) -> str:
    """Describe the prediction task in a few words."""
    if task.regression:
        return "with a number"
    return f"of {len(task.classes)} classes{', any number of them a picture' * task.multi_label}"
