"""Record the samples of a run and their splits in its folder, and restore the splits later."""

from __future__ import annotations

import csv
import io
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ftaug.config.experiment import Data, Fold, Split
from ftaug.config.wording import listed
from ftaug.engine.loading.sample_keys import sample_keys
from ftaug.engine.loading.split import UNLABELED, DataSplit, read_dataset, subset
from ftaug.errors import BadData
from ftaug.interfaces.data import Samples, Task

log = logging.getLogger("ftaug")

SAMPLES_FILE = "samples.csv"
PURPOSES = ("train", "val", "test", UNLABELED)
LEFT_OUT = " (cannot be read)"
"""Suffix of the split of a sample that training left out."""

CONFIRMATION = " (confirmation)"
"""Suffix of the split of a validation sample that is held out to confirm results on."""

SHOWN = 3
"""Maximum number of samples to name for each kind of change."""


class Row(NamedTuple):
    """A row of the file: one sample, in the order of its dataset."""

    split: str
    key: str  # identifies it independent of the location of the data
    sample: str  # its human-readable name, if that is not the key
    target: str  # its classes or regression targets, separated by bars

    @property
    def name(self) -> str:
        """The human-readable name."""
        return self.sample or self.key


def fingerprints(splits: Mapping[str, DataSplit]) -> dict[str, str]:
    """Return the fingerprint of the dataset of each split."""
    return {purpose: split.dataset_fingerprint or split.samples.fingerprint for purpose, split in splits.items()}


def to_csv(splits: Mapping[str, DataSplit]) -> str:
    """Format the record as CSV: a row for every sample of the datasets."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    datasets = {id(split.samples): split.samples for split in splits.values()}
    for samples in datasets.values():
        split_of = np.full(len(samples), "", dtype=object)
        for purpose, split in splits.items():
            if split.samples is samples:
                split_of[split.ids] = purpose
                split_of[[*split.left_out]] = purpose + LEFT_OUT
                split_of[[*split.confirmation]] = purpose + CONFIRMATION
        for split_name, (key, name, target) in zip(split_of.tolist(), _described(samples), strict=True):
            writer.writerow((split_name, key, "" if name == key else name, target))
    return text.getvalue()


def _described(samples: Samples) -> Iterator[tuple[str, str, str]]:
    """Iterate the key, the human-readable name and the label of each sample.

    The key is the name if the dataset has no keys.
    """
    labels = _labels(samples.targets, samples.task)
    for index, (key, target) in enumerate(zip(sample_keys(samples), labels, strict=True)):
        name = samples.name(index)
        yield key, key if name.endswith(key) else name, target


def _labels(targets: np.ndarray, task: Task) -> Iterator[str]:
    """Iterate the labels of samples in the format of the file."""
    if task.regression:
        yield from ("|".join(map(repr, numbers)) for numbers in targets.tolist())
    elif task.multi_label:
        yield from ("|".join(task.classes[code] for code in np.flatnonzero(row)) for row in targets)
    else:
        yield from (task.classes[code] if task.classes else "" for code in targets.tolist())


@dataclass
class Comparison:
    """The differences between a dataset and the record: added, removed and relabeled samples."""

    new_classes: Sequence[str] = ()
    ids: dict[str, list[int]] = field(default_factory=dict)  # of the samples that still exist, by split
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    relabeled: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        changes = {"added": self.added, "removed": self.removed, "relabeled": self.relabeled}
        texts = [f"class {listed(self.new_classes, SHOWN)} added"] if self.new_classes else []
        for change, names in changes.items():
            if names:
                texts.append(f"{len(names):,} sample{'s' * (len(names) != 1)} {change} ({listed(names, SHOWN)})")
        return ", ".join(texts) or "the same samples and labels, but other files, groups or order"


def compare(rows: Sequence[Row], task: Task, samples: Samples) -> Comparison:
    """Match the samples of a dataset to the record by key; samples with equal keys by their order."""
    result = Comparison([name for name in samples.task.classes if name not in task.classes])
    before: Counter[str] = Counter()
    recorded = {_numbered(row.key, before): row for row in rows}
    now: Counter[str] = Counter()
    for index, (key, name, target) in enumerate(_described(samples)):
        row = recorded.pop(_numbered(key, now), None)
        if row is None:
            result.added.append(name)
            continue
        result.ids.setdefault(row.split, []).append(index)
        if target != row.target:
            result.relabeled.append(f"{row.name}: {row.target or 'none'} → {target or 'none'}")
    result.removed = [row.name for row in recorded.values()]
    return result


def _numbered(key: str, seen: Counter[str]) -> str:
    """Make equal keys distinct by the number of earlier ones, and count this one."""
    count = seen[key]
    seen[key] = count + 1
    return f"{key}\0{count}" if count else key


class RecordedData(Mapping[str, DataSplit]):
    """The data splits of a run as it was trained, read lazily; samples added later belong to no split.

    `cautions` has a message for each dataset that changed.
    """

    def __init__(self, folder: Path, data: Data, task: Task, recorded: Mapping[str, str]) -> None:
        """Take the run folder, its experiment's data, and the task and the fingerprints in its model.json."""
        self.cautions: list[str] = []
        self._folder, self._data, self._task, self._recorded = folder, data, task, recorded
        self._samples: dict[str, Samples] = {}
        self._splits: dict[str, DataSplit] = {}
        self._ids: dict[str, Mapping[str, Sequence[int]]] = {}
        self._changes: dict[str, str] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._recorded)

    def __len__(self) -> int:
        return len(self._recorded)

    def __contains__(self, purpose: object) -> bool:
        return purpose in self._recorded

    def __getitem__(self, purpose: str) -> DataSplit:
        if purpose not in self._splits:
            changed = self.change(purpose)
            if changed and changed not in self.cautions:
                self.cautions.append(changed)
                log.warning("%s: %s", self._folder, changed)
            dataset = self._dataset_of(purpose)
            ids, left_out, confirmation = (
                self._ids[dataset].get(split, []) for split in (purpose, purpose + LEFT_OUT, purpose + CONFIRMATION)
            )
            if not len(ids):
                raise BadData(f"{self._folder}: none of the {purpose} samples of training is there any more")
            split = subset(purpose, self._samples[dataset], np.array(ids, np.int64), self._task)
            self._splits[purpose] = replace(split, left_out=tuple(left_out), confirmation=tuple(confirmation))
        return self._splits[purpose]

    def change(self, purpose: str) -> str:
        """Describe how the dataset of a split changed since training; the empty string if it did not."""
        dataset = self._dataset_of(purpose)
        if dataset not in self._changes:
            samples = self._samples[dataset] = read_dataset(self._data, dataset)
            if samples.fingerprint == self._recorded[dataset]:
                self._ids[dataset], self._changes[dataset] = self._recorded_ids(dataset, samples), ""
            else:
                comparison = compare([*self._rows(dataset)], self._task, samples)
                self._ids[dataset] = comparison.ids
                self._changes[dataset] = f"data.{dataset} changed since training: {comparison}"
        return self._changes[dataset]

    def _dataset_of(self, purpose: str) -> str:
        """Return the key of the dataset that a split is taken from."""
        return "train" if isinstance(getattr(self._data, purpose), Split | Fold) else purpose

    def _recorded_ids(self, dataset: str, samples: Samples) -> dict[str, list[int]]:
        """Return the ids of samples that have not changed, by split; raises BadData if the record is not of them."""
        ids: dict[str, list[int]] = {}
        for index, (row, key) in enumerate(zip_longest(self._rows(dataset), sample_keys(samples))):
            if row is None or row.key != key:
                place = row.name if row is not None else key
                text = f"is damaged at '{place}', as data.{dataset} has not changed; restore it from a copy"
                raise BadData(f"{self._folder / SAMPLES_FILE}: {text}")
            ids.setdefault(row.split, []).append(index)
        return ids

    def _rows(self, dataset: str) -> Iterator[Row]:
        """Iterate the recorded rows of a dataset."""
        path = self._folder / SAMPLES_FILE
        for row in read_rows(path):
            purpose = purpose_of(row.split)
            if purpose not in ("", *PURPOSES):
                raise BadData(f"{path}: '{row.split}' is not a split; the training samples of the run are unknown")
            if purpose and self._dataset_of(purpose) == dataset:
                yield row


def purpose_of(split: str) -> str:
    """Return the split that the samples of a row's split belong to, in use or not."""
    return split.removesuffix(LEFT_OUT).removesuffix(CONFIRMATION)


def read_rows(path: Path) -> Iterator[Row]:
    """Iterate the rows of a record; raises BadData if it cannot be read."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, strict=True)
            next(reader, None)
            yield from map(Row._make, reader)
    except (OSError, TypeError, csv.Error) as error:
        text = f"{path}: cannot be read ({error}); the training samples of the run are unknown"
        raise BadData(text) from None
