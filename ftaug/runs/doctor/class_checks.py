"""Check the classes of the splits: without training samples, with few, unbalanced, missing in a split."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ftaug.config.wording import listed
from ftaug.runs.doctor.finding import Finding
from ftaug.runs.doctor.scan import Scan

FEW = 5
"""Number of training samples below which a class is small."""

RATIO = 10
"""Ratio of the largest class to the smallest from which classes are unbalanced."""

SHOWN = 5


def class_counts(scan: Scan, purpose: str) -> np.ndarray:
    """Count the readable samples of a split per class: int64 (classes,)."""
    split = scan.splits[purpose]
    targets = split.targets[scan.positions[scan.rows(purpose)]]
    if split.task.multi_label:
        return np.asarray(targets.sum(axis=0, dtype=np.int64))
    return np.bincount(targets, minlength=len(split.task.classes))


def findings(scan: Scan) -> Iterator[Finding]:
    """Yield what is wrong with the classes; nothing in regression."""
    task = scan.splits["train"].task
    if task.regression:
        return
    train = class_counts(scan, "train")
    names = np.array(task.classes, object)
    if missing := names[train == 0].tolist():
        text = f"train: no readable sample of {_classes(missing)}"
        yield Finding("classes", "problem", 0, text)
    if small := names[(train > 0) & (train < FEW)].tolist():
        count = int(train[train < FEW].sum())
        yield Finding("classes", "caution", count, f"train: fewer than {FEW} samples of {_classes(small)}")
    largest, smallest = int(train.max()), int(train[train > 0].min(initial=train.max()))
    if largest >= RATIO * smallest > 0:
        low, high = names[train == smallest][0], names[train == largest][0]
        text = f"train: '{high}' has {largest / smallest:.0f} times the samples of '{low}' ({smallest:,})"
        yield Finding("classes", "caution", largest, text)
    for purpose in [purpose for purpose in scan.splits if purpose != "train"]:
        if absent := names[(class_counts(scan, purpose) == 0) & (train > 0)].tolist():
            yield Finding("classes", "caution", 0, f"{purpose}: no sample of {_classes(absent)}")


def _classes(names: list[str]) -> str:
    quoted = listed([f"'{name}'" for name in names], SHOWN)
    return f"class {quoted}" if len(names) == 1 else f"{len(names):,} classes: {quoted}"
