"""Find shortcuts: facts such as format or size that predict the class; and series of names in several splits."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from ftaug.data import names
from ftaug.runs.doctor.finding import EXAMPLES, Finding
from ftaug.runs.doctor.scan import SampleRef, Scan

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
    are_files = len(scan) > 0 and os.path.isfile(scan.sample(0).name)  # noqa: PTH113
    if scan.splits["train"].task.kind == "single_label" and len(rows) >= FEWEST:
        targets = scan.targets(rows)
        for fact, values in _facts(scan, rows, are_files=are_files).items():
            accuracy, frequent = accuracies(values, targets)
            if accuracy - frequent >= GAIN * (1 - frequent) > 0:
                shares = f"{accuracy:.0%} of the samples right, against {frequent:.0%} by the most frequent class"
                text = f"train: {fact} gives the class away"
                yield Finding("shortcut", "caution", len(rows), text, remedy=f"it predicts {shares}")
    if are_files:
        yield from _shared_series(scan)


def _split_name(name: str) -> tuple[str, str]:
    """Return a file's name without its folder and ending, and the ending in lower case."""
    stem, ending = os.path.splitext(name.rpartition("/")[2])  # noqa: PTH122 - a Path for each is slow
    return stem, ending.lower()


def _facts(scan: Scan, rows: np.ndarray, *, are_files: bool) -> Mapping[str, np.ndarray]:
    """Return for each fact an integer code of its value: int64 (n,)."""
    numbers = {name: values[rows].astype(np.float64) for name, values in scan.facts.items()}
    if {"width", "height"} <= numbers.keys():
        numbers["aspect"] = numbers["width"] / numbers["height"]
        numbers["number of pixels"] = numbers["width"] * numbers["height"]
        numbers["bytes per pixel"] = numbers.pop("bytes") / numbers["number of pixels"]
        del numbers["width"], numbers["height"]
    of_names = {"the ending of file names": _ending, "the pattern of file names": _pattern} if are_files else {}
    return {
        **{fact: np.unique(_hashed(scan, rows, text), return_inverse=True)[1] for fact, text in of_names.items()},
        **{name: _binned(values) for name, values in numbers.items()},
    }


def _hashed(scan: Scan, rows: np.ndarray, text: Callable[[SampleRef], str]) -> np.ndarray:
    """Return hashes of a text of each row, int64 (n,); without a Python object for each."""
    return np.fromiter((hash(text(scan.sample(row))) for row in rows), np.int64, len(rows))


def _ending(sample: SampleRef) -> str:
    return _split_name(sample.name)[1]


def _pattern(sample: SampleRef) -> str:
    """Return a file's name without its numbers and its class: `scan-#` for scan-12, and for cat-scan-3 of a cat."""
    pattern = names.folded(_split_name(sample.name)[0]).replace(names.folded(sample.label), "")
    return re.sub(r"\d+", "#", pattern).strip("-_. ()")


def _binned(values: np.ndarray) -> np.ndarray:
    bounds = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(bounds, values, side="right")


def accuracies(values: np.ndarray, targets: np.ndarray) -> tuple[float, float]:
    """Return the accuracy of the most frequent class of each value, counted on other folds, and that of all values."""
    folds = np.random.default_rng(0).permutation(len(targets)) % FOLDS
    right = 0
    for fold in range(FOLDS):
        predicted = _most_frequent(values[folds != fold], targets[folds != fold], int(values.max()) + 1)
        right += int((predicted[values[folds == fold]] == targets[folds == fold]).sum())
    return right / len(targets), float(np.bincount(targets).max() / len(targets))


def _most_frequent(values: np.ndarray, targets: np.ndarray, count: int) -> np.ndarray:
    """Return the most frequent class of each value below `count`, int64 (count,); of all values if it is missing."""
    of_all = np.bincount(targets)
    predicted = np.full(count, of_all.argmax())
    pairs, counts = np.unique(values * len(of_all) + targets, return_counts=True)
    value_of_pair, class_of_pair = np.divmod(pairs, len(of_all))
    order = np.lexsort((-class_of_pair, counts))  # the last one of a value remains: of equal counts the lowest class
    predicted[value_of_pair[order]] = class_of_pair[order]
    return predicted


def _series(sample: SampleRef) -> str:
    """Return the name of a series that a file's name has: patient12- for patient12-3; "" if it has none."""
    match = re.fullmatch(r"(.*\d.*?[-_. ])\d+", _split_name(sample.name)[0])
    return match[1] if match else ""


def _shared_series(scan: Scan) -> Iterator[Finding]:
    """Yield a finding for each split that shares series of names, such as patient12-1 and patient12-2, with train."""
    series, none = _hashed(scan, np.arange(len(scan)), _series), hash("")
    _, counts = np.unique(series[series != none], return_counts=True)
    if counts.max(initial=0) > LARGEST_SERIES * len(scan):
        return
    in_train = series[scan.rows("train")]
    for purpose in [purpose for purpose in scan.splits if purpose != "train"]:
        rows = scan.rows(purpose)
        rows = rows[np.isin(series[rows], in_train[in_train != none])]
        if len(rows):
            text = f"{purpose}: names of series that are in train too"
            shown = [scan.sample(row) for row in rows[:EXAMPLES]]
            examples = [f"{sample.name}: {_series(sample)}…" for sample in shown]
            remedy = "if a series is of one source, list the samples in a table and set its group"
            yield Finding("series", "caution", len(rows), text, examples, remedy)
