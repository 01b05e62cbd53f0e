"""Generate an experiment file for a table or a folder of texts (`ftaug init`)."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from ftaug.data.folders.classes import check_folder, splits
from ftaug.data.folders.named import below, relative_path
from ftaug.data.shards.containers import container_at
from ftaug.data.tables.rows import SUFFIXES as TABLES
from ftaug.errors import ExperimentError
from ftaug.interfaces.data import Samples
from ftaug.interfaces.modality import RequestedModel
from ftaug.recipes.containers import container_layout, samples_in_container
from ftaug.recipes.layout import COLUMNS_GUESSED, Layout, by_split, group_hint, print_notes, table_settings
from ftaug.recipes.model import model, model_folder, registered, requested_name
from ftaug.recipes.recipe import Facts, Model, class_counts
from ftaug.recipes.writer import Line, experiment_text
from ftaug.text import backbone as backbones
from ftaug.text import pooling_file
from ftaug.text.datasets.columns import hf_disk, text_parquet
from ftaug.text.datasets.folder import text_folder
from ftaug.text.datasets.in_memory import TextSamples
from ftaug.text.datasets.shards import text_shards
from ftaug.text.datasets.table import text_table
from ftaug.text.infer_columns import Guess, guess
from ftaug.text.recipe import recipe
from ftaug.text.types import SUFFIXES

CONTAINERS: dict[str, Callable[..., TextSamples]] = {"shards": text_shards, "parquet": text_parquet, "hf_disk": hf_disk}

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+|\w+(-\w+)+", re.ASCII)
"""Name of a model on the Hub: owner/name, or a legacy name without owner, such as bert-base-uncased."""


def samples_in(path: Path) -> int:
    """Count text files below a folder; a table counts as 1."""
    if count := samples_in_container(path, "text", SUFFIXES):
        return count
    if path.is_dir():
        return len(below(path, SUFFIXES))
    return int(path.name.lower().endswith(TABLES))


def experiment(path: Path, target: Path, requested: RequestedModel) -> str:
    """Return the text of an experiment file for a table or a folder of class folders.

    Raises BadData, ExperimentError, MissingInput.
    """
    requested_model = _requested_model(requested, target)
    train, layout = _layout(path, target)
    print_notes(train)
    facts = Facts(train.task.kind, len(train), class_counts(train.task, train.targets), requested_model)
    header = [
        f"Written by `ftaug init` for {path}.",
        f"{len(train):,} training texts, {_described(train)}",
        "All that can be set: ftaug list. Try it: ftaug train THIS_FILE.",
    ]
    return experiment_text(header, [Line("modality: text")], layout, facts.samples, recipe(facts))


def _requested_model(requested: RequestedModel, target: Path) -> Model | None:
    """Return the requested backbone: a registered one, a folder with an encoder, or a model on the Hub."""
    if (name := requested_name(requested)) is None:
        return None
    if name == "hf":
        raise ExperimentError(
            "--backbone hf: name the encoder instead, as a folder (./my-encoder) or by its name on the hub (ORG/NAME)"
        )
    if name not in backbones and (path := _encoder_path(name, target)) is not None:
        mean = {"pooling": "mean"} if _pools_by_mean(Path(name).expanduser()) else {}
        return model(registered(backbones, "hf"), requested.weights, target, path=path, **mean)
    return model(registered(backbones, name), requested.weights, target)


def _encoder_path(name: str, target: Path) -> str | None:
    """Return an encoder's folder, relative to the file `target`, or its name on the Hub; None if it is neither.

    Raises MissingInput for a folder that does not exist or has no encoder.
    """
    return model_folder(name, target, ["config.json"]) or (name if HUB_NAME.fullmatch(name) else None)


def _pools_by_mean(folder: Path) -> bool:
    """Whether a folder's pooling configuration selects mean pooling; raises BadData."""
    return pooling_file.asks_for_mean(folder, pooling_file.content(folder))


def _layout(path: Path, target: Path) -> tuple[TextSamples, Layout]:
    """Return the training samples, and the dataset of each split."""
    if path.name.lower().endswith(TABLES):
        return _table_layout(path, target)
    if (kind := container_at(path)) is None:
        return _folder_layout(path, target)
    return container_layout(CONTAINERS[kind], path, target)


def _folder_layout(path: Path, target: Path) -> tuple[TextSamples, Layout]:
    check_folder("text_folder", path)
    folders = splits(path)
    train = text_folder("train", path=folders["train"], empty="skip")
    paths = {split: relative_path(at, target) for split, at in folders.items()}
    return train, Layout({split: {"text_folder": {"path": at, **_empty(train)}} for split, at in paths.items()})


def _table_layout(path: Path, target: Path) -> tuple[TextSamples, Layout]:
    columns = guess(path)

    def read(split: str) -> TextSamples:
        return _read(path, columns, split)

    train = read("train")
    settings = {"path": relative_path(path, target), "text": _texts(columns)}
    dataset = {"text_table": {**settings, **table_settings(columns.targets), **_empty(train)}}
    hints = group_hint(columns.targets, "text_table")
    return train, Layout(by_split(read, columns.targets, dataset), COLUMNS_GUESSED, hints)


def _read(path: Path, columns: Guess, split: str) -> TextSamples:
    """Read the texts of a split."""
    targets = columns.targets
    return text_table(
        split,
        path=path,
        text=_texts(columns),
        label=targets.label,
        target=targets.target,
        labels_separator=targets.separator,
        split_column=targets.split,
        empty="skip",
    )


def _texts(columns: Guess) -> str | tuple[str, str]:
    """Return the setting `text`: the text column, or the two columns of pairs."""
    return columns.texts[0] if len(columns.texts) == 1 else (columns.texts[0], columns.texts[1])


def _empty(train: Samples) -> dict[str, str]:
    """Return `empty: skip` if there are empty texts."""
    return {"empty": "skip"} if any("empty" in note for note in train.notes) else {}


def _described(train: Samples) -> str:
    """Describe the targets for the header comment."""
    classes = train.task.classes
    names = ", ".join(classes[:8]) + (", …" if len(classes) > 8 else "")
    if train.task.regression:
        return f"each with the numbers {names}"
    return f"{len(classes)} classes{', any number of them a text' * train.task.multi_label}: {names}"
