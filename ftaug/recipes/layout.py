"""Where the samples of an experiment are: the datasets of its splits, with what is to be said of them."""

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
FEW = 300  # samples up to which none is held out if there is a test split


@dataclass(frozen=True)
class Layout:
    """The dataset of each split that there is, as plain YAML data; train is among them."""

    datasets: Mapping[str, Any]
    reason: str = ""
    hints: tuple[str, ...] = ()

    def choices(self, samples: int) -> dict[str, Choice]:
        """The values of train, which has so many samples, val and test."""
        others = {split: Choice(self.datasets[split], "") for split in ("val", "test") if split in self.datasets}
        return {"train": Choice(self.datasets["train"], self.reason), "val": self._held_out(samples), **others}

    def _held_out(self, samples: int) -> Choice:
        """Validation samples taken from train; none where few samples are worth more to train on."""
        if "test" in self.datasets and samples <= FEW:
            return Choice(None, "all train: few samples choose checkpoints by luck, and test measures the last one")
        return Choice({"split": "20%"}, "taken from train, the same samples for every run with this seed")


def table_settings(targets: Targets) -> dict[str, str]:
    """What is predicted and the split, as settings of a table's dataset."""
    settings = {
        "label": targets.label,
        "target": targets.target,
        "labels_separator": targets.separator,
        "split_column": targets.split,
    }
    return {key: value for key, value in settings.items() if value is not None}


def by_split(read: Callable[[str], object], targets: Targets, dataset: Any) -> dict[str, Any]:
    """The dataset for train and the other splits of a table; `read` raises BadData for one that it does not hold."""
    splits = ["train"]
    for split in ("val", "test") if targets.split is not None else ():
        try:
            read(split)
        except BadData:
            continue
        splits.append(split)
    return dict.fromkeys(splits, dataset)


def print_notes(train: Samples) -> None:
    """Say on stderr what reading the training samples left out or recognized."""
    for note in train.notes:
        print(printable(f"note: {note}"), file=sys.stderr)


def group_hint(targets: Targets, dataset: str) -> tuple[str, ...]:
    """A comment on a column that may say which samples belong together."""
    if targets.group is None or targets.split is not None:
        return ()
    column = targets.group
    return (f"`group: {column}` in {dataset} keeps samples with the same {column} on one side of the split",)
