"""A first experiment file for a table or a folder of texts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from ftaug.config.registry import registry
from ftaug.errors import BadData, printable
from ftaug.folders.classes import check_folder, splits
from ftaug.folders.named import below, written_path
from ftaug.interfaces import Samples
from ftaug.tables.rows import SUFFIXES as TABLES
from ftaug.text.datasets.folder import text_folder
from ftaug.text.datasets.held import TextSamples
from ftaug.text.datasets.table import text_table
from ftaug.text.guessing import Guess, guess
from ftaug.text.texts import SUFFIXES

IMBALANCED = 3  # from this ratio of the largest class to the smallest on, classes get weights
AUGMENTATIONS = ("aeda", "random_delete", "typos")
"""What is proposed, the first that there is."""


def samples_in(path: Path) -> int:
    """How many files below a folder are texts; a table is one."""
    if path.is_dir():
        return len(below(path, SUFFIXES))
    return int(path.name.lower().endswith(TABLES))


def experiment(path: Path, target: Path) -> str:
    """The text of an experiment file for a table, or a folder of class folders; raises BadData, ExperimentError."""
    if path.is_dir():
        check_folder("text_folder", path)
        folders = splits(path)
        train = text_folder("train", path=folders["train"], empty="skip")
        parts = {part: f"{{text_folder: {{path: {written_path(at, target)}%s}}}}" for part, at in folders.items()}
    else:
        found = guess(path)
        train = _of_table(path, found)
        line = f"{{text_table: {{path: {written_path(path, target)}, {_columns(found)}%s}}}}"
        parts = dict.fromkeys(_parts(path, found), line)
    skip = ", empty: skip" if any("empty" in note for note in train.notes) else ""
    return "\n".join(_lines(path, train, {part: line % skip for part, line in parts.items()})) + "\n"


def _of_table(path: Path, found: Guess, split: str = "train") -> TextSamples:
    texts = found.texts[0] if len(found.texts) == 1 else (found.texts[0], found.texts[1])
    return text_table(
        split, path=path, text=texts, label=found.label, target=found.target, split_column=found.split, empty="skip"
    )


def _parts(path: Path, found: Guess) -> list[str]:
    """The splits that the table holds."""
    parts = ["train"]
    for part in ("val", "test") if found.split else ():
        try:
            _of_table(path, found, part)
        except BadData:
            continue
        parts.append(part)
    return parts


def _columns(found: Guess) -> str:
    """The columns, as settings."""
    texts = json.dumps(found.texts[0] if len(found.texts) == 1 else found.texts, ensure_ascii=False)
    answer = ("label", found.label) if found.label is not None else ("target", found.target)
    settings = {"text": texts, answer[0]: json.dumps(answer[1], ensure_ascii=False)}
    settings |= {"split_column": json.dumps(found.split, ensure_ascii=False)} if found.split else {}
    return ", ".join(f"{key}: {value}" for key, value in settings.items())


def _lines(path: Path, train: Samples, parts: dict[str, str]) -> list[str]:
    """The file line by line."""
    task, count = train.task, len(train)
    said = f"{count:,} training texts, {_told(train)}"
    return [
        printable(f"# Written by `ftaug init` for {path}.").replace("\n", " "),
        printable(f"# {said}").replace("\n", " "),
        "# All that can be set: ftaug list. Try it: ftaug train THIS_FILE.",
        "modality: text",
        "data:",
        f"  train: {parts['train']}",
        f"  val: {parts['val']}"
        if "val" in parts
        else "  val: {split: 20%}  # taken from train, the same for every run with this seed",
        *([f"  test: {parts['test']}"] if "test" in parts else []),
        f"  batch_size: {max((size for size in (4, 8, 16, 32) if size * 20 <= count), default=4)}",
        "backbone: tiny_text  # comes with ftaug; any encoder of transformers: {hf: {path: FOLDER_OR_NAME}}",
        "unfreeze: [all]",
        *_augment(),
        *_loss(train),
        "optimizer: {adamw: {weight_decay: 0.01}}",
        "lr: {peak: 5e-4, schedule: {linear: {warmup: 6%}}}",
        f"train: {{epochs: {next((n for limit, n in ((2000, 20), (20_000, 8)) if count < limit), 4)}}}",
        *([] if task.regression else [f"evaluate: {{metrics: [accuracy, f1], best: {_best(train)}}}"]),
    ]


def _told(train: Samples) -> str:
    """What is to be told of each text."""
    classes = train.task.classes
    names = ", ".join(classes[:8]) + (", …" if len(classes) > 8 else "")
    if train.task.regression:
        return f"each with the numbers {names}"
    return f"{len(classes)} classes{', any number of them a text' * train.task.multi_label}: {names}"


def _augment() -> list[str]:
    known = registry("augmentation", "text")
    named = next((name for name in AUGMENTATIONS if name in known), None)
    return [f"augment: [{named}]  # what there is: ftaug list augmentation"] if named else []


def _imbalance(train: Samples) -> float:
    if train.task.regression or train.task.multi_label:
        return 1.0
    counts = np.bincount(train.targets, minlength=len(train.task.classes))
    return float(counts.max() / max(1, counts.min()))


def _best(train: Samples) -> str:
    return "f1" if train.task.multi_label or _imbalance(train) >= IMBALANCED else "accuracy"


def _loss(train: Samples) -> list[str]:
    """The loss that fits the task, and the metrics where they are not those of classes."""
    losses, metrics = registry("loss", "text"), registry("metric", "text")
    if train.task.regression:
        loss = next((name for name in ("huber", "mse") if name in losses), None)
        measured = [name for name in ("rmse", "mae", "r2", "spearman") if name in metrics]
        best = [f"evaluate: {{metrics: [{', '.join(measured)}], best: {measured[0]}}}"] if measured else []
        return [*([f"loss: {loss}"] if loss else []), *best]
    if train.task.multi_label:
        return ["loss: binary_cross_entropy"]
    if (ratio := _imbalance(train)) >= IMBALANCED:
        why = f"the largest class is {ratio:.0f} times the smallest"
        return [f"loss: {{cross_entropy: {{class_weights: balanced}}}}  # {why}"]
    return []
