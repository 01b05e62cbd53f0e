"""Find shortcuts: facts such as format or size that predict the class; and series of names in several splits."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ftaug.data import names
from ftaug.runs.doctor.finding import EXAMPLES, Finding
from ftaug.runs.doctor.scan import Scan

BINS = 10
"""Number of quantiles that the values of a number are binned into."""

FEWEST = 50
"""Number of training samples below which nothing is predicted from facts."""

GAIN = 0.5
"""Share of the errors of predicting the most frequent class that a shortcut avoids, from which it is reported."""

FOLDS = 5

LARGEST_SERIES = 0.1
"""Share of all samples from which a series of names is no source of samples, but a way of numbering."""


def findings(scan: Scan) -> Iterator[Finding]:
    """Yield facts that predict the class of training samples, and series of names that are in train and elsewhere."""
    rows = scan.rows("train")
    file_names = [_split_name(scan.sample(row).name) for row in range(len(scan))]
    stems, endings = [stem for stem, _ in file_names], [ending for _, ending in file_names]
    are_files = len(scan) > 0 and os.path.isfile(scan.sample(0).name)  # noqa: PTH113
    if scan.splits["train"].task.kind == "single_label" and len(rows) >= FEWEST:
        targets = scan.targets(rows)
        for fact, values in _facts(scan, rows, stems, endings, are_files=are_files).items():
            accuracy, frequent = accuracies(values, targets)
            if accuracy - frequent >= GAIN * (1 - frequent) > 0:
                shares = f"{accuracy:.0%} of the samples right, against {frequent:.0%} by the most frequent class"
                text = f"train: {fact} gives the class away"
                yield Finding("shortcut", "caution", len(rows), text, remedy=f"it predicts {shares}")
    if are_files:
        yield from _shared_series(scan, stems)


def _split_name(name: str) -> tuple[str, str]:
    """Return a file's name without its folder and ending, and the ending in lower case."""
    stem, ending = os.path.splitext(name.rpartition("/")[2])  # noqa: PTH122 - a Path for each is slow
    return stem, ending.lower()


def _facts(
    scan: Scan, rows: np.ndarray, stems: Sequence[str], endings: Sequence[str], *, are_files: bool
) -> Mapping[str, np.ndarray]:
    """Return for each fact an integer code of its value: int64 (n,)."""
    numbers = {name: values[rows].astype(np.float64) for name, values in scan.facts.items()}
    if {"width", "height"} <= numbers.keys():
        numbers["aspect"] = numbers["width"] / numbers["height"]
        numbers["number of pixels"] = numbers["width"] * numbers["height"]
        numbers["bytes per pixel"] = numbers.pop("bytes") / numbers["number of pixels"]
        del numbers["width"], numbers["height"]
    texts = {
        "the ending of file names": [endings[row] for row in rows],
        "the pattern of file names": [_pattern(stems[row], scan.sample(row).label) for row in rows],
    }
    return {
        **{name: np.unique(values, return_inverse=True)[1] for name, values in texts.items() if are_files},
        **{name: _binned(values) for name, values in numbers.items()},
    }


def _pattern(stem: str, label: str) -> str:
    """Return a file's name without its numbers and its class: `scan-#` for scan-12, and for cat-scan-3 of a cat."""
    pattern = names.folded(stem).replace(names.folded(label), "")
    return re.sub(r"\d+", "#", pattern).strip("-_. ()")


def _binned(values: np.ndarray) -> np.ndarray:
    bounds = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(bounds, values, side="right")


def accuracies(values: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Return the accuracy of the most frequent class of each value, counted on other folds, and that of all values."""
    folds = np.random.default_rng(0).permutation(len(targets)) % FOLDS
    shape = int(values.max()) + 1, int(targets.max()) + 1
    right = 0
    for fold in range(FOLDS):
        counts = np.zeros(shape, np.int64)
        np.add.at(counts, (values[folds != fold], targets[folds != fold]), 1)
        predicted = np.where(counts.any(axis=1), counts.argmax(axis=1), counts.sum(axis=0).argmax())
        right += int((predicted[values[folds == fold]] == targets[folds == fold]).sum())
    return right / len(targets), float(np.bincount(targets).max() / len(targets))


def _shared_series(scan: Scan, stems: Sequence[str]) -> Iterator[Finding]:
    """Yield a finding for each split that shares series of names, such as patient12-1 and patient12-2, with train."""
    series = [match[1] if (match := re.fullmatch(r"(.*\d.*?[-_. ])\d+", stem)) else "" for stem in stems]
    counts = Counter(series)
    del counts[""]
    if max(counts.values(), default=0) > LARGEST_SERIES * len(stems):
        return
    train = {series[row] for row in scan.rows("train")} - {""}
    for purpose in [purpose for purpose in scan.splits if purpose != "train"]:
        rows = [int(row) for row in scan.rows(purpose) if series[row] in train]
        if rows:
            text = f"{purpose}: names of series that are in train too"
            examples = [f"{scan.sample(row).name}: {series[row]}…" for row in rows[:EXAMPLES]]
            remedy = "if a series is of one source, list the samples in a table and set its group"
            yield Finding("series", "caution", len(rows), text, examples, remedy)
