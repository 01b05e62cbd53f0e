"""Datasets of the train, val and test splits of a generated experiment file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ftaug.data.tables.infer_columns import Targets
from ftaug.errors import BadData, printable
from ftaug.interfaces.data import Samples
from ftaug.recipes.recipe import Choice

COLUMNS_GUESSED = "columns by their names and their cells"
FEW = 300  # up to this number of samples, no validation split is held out if there is a test split


@dataclass(frozen=True)
class Layout:
    """Dataset of each existing split, as plain YAML data; always includes train."""

    datasets: Mapping[str, Any]
    reason: str = ""
    hints: tuple[str, ...] = ()

    def choices(self, samples: int) -> dict[str, Choice]:
        """Return the values of train, val and test; `samples` is the size of train."""
        others = {split: Choice(self.datasets[split], "") for split in ("val", "test") if split in self.datasets}
        return {"train": Choice(self.datasets["train"], self.reason), "val": self._held_out(samples), **others}

    def _held_out(self, samples: int) -> Choice:
        """Hold out a validation split from train; none for few samples with a test split."""
        if "test" in self.datasets and samples <= FEW:
            return Choice(None, "all train: few samples choose checkpoints by luck, and test measures the last one")
        return Choice({"split": "20%"}, "taken from train, the same samples for every run with this seed")


def table_settings(targets: Targets) -> dict[str, str]:
    """Return the target and split columns as settings of a table dataset."""
    settings = {
        "label": targets.label,
        "target": targets.target,
        "labels_separator": targets.separator,
        "split_column": targets.split,
    }
    return {key: value for key, value in settings.items() if value is not None}


def by_split(read: Callable[[str], object], targets: Targets, dataset: Any) -> dict[str, Any]:
    """Return the dataset for each split of a table; `read` raises BadData for a missing split."""
    splits = ["train"]
    for split in ("val", "test") if targets.split is not None else ():
        try:
            read(split)
        except BadData:
            continue
        splits.append(split)
    return dict.fromkeys(splits, dataset)


def print_notes(train: Samples) -> None:
    """Print the notes of the training dataset to stderr."""
    for note in train.notes:
        print(printable(f"note: {note}"), file=sys.stderr)


def group_hint(targets: Targets, dataset: str) -> tuple[str, ...]:
    """Return a comment on a possible group column."""
    if targets.group is None or targets.split is not None:
        return ()
    column = targets.group
    return (f"`group: {column}` in {dataset} keeps samples with the same {column} on one side of the split",)
