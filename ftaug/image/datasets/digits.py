"""The digits dataset of scikit-learn: real data without a download."""

from __future__ import annotations

import gzip
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ftaug.config.types import Count, CountOrZero
from ftaug.data.subsample import few_per_class
from ftaug.errors import MissingInput
from ftaug.image import dataset
from ftaug.image.datasets.arrays import ArraySamples, fingerprint
from ftaug.interfaces.data import Task

_CONTENT = "1fa49054f5d5ba0bcf14a7848951319bfb97150b87f1a8c21b50191db38780b9"
"""Fingerprint of the source's gray values and labels."""
_FILE = ("datasets", "data", "digits.csv.gz")
_PARTITION_SEED = 1797
_SHARES = {"train": (0.0, 0.6), "val": (0.6, 0.8), "test": (0.8, 1.0)}


@dataset.register(tasks=("single_label",))
def digits(split: str, *, per_class: Count | None = None, subset_seed: CountOrZero = 0) -> ArraySamples:
    """1,797 handwritten digits of 8×8 gray pixels, light on black, in a fixed partition of 60/20/20.

    Settings:
        per_class: use only that many pictures of each class for training; validation and test stay whole
        subset_seed: which pictures `per_class` chooses

    Reads uint8 (8, 8); the 17 gray values of the source are spread over 0..255. Names and order are scikit-learn's.
    Source: scikit-learn's `load_digits`, the test part of UCI Optical Recognition of Handwritten Digits (CC BY 4.0).
    """
    grays, targets = _read()
    pictures = np.round(grays * (255 / 16)).astype(np.uint8)
    rows = _rows_of(split, targets)
    if split == "train" and per_class is not None:
        rows = rows[few_per_class("digits", targets[rows], per_class, subset_seed)]
    task = Task(tuple(str(digit) for digit in range(10)))
    same = fingerprint(grays, targets) == _CONTENT
    other = f"scikit-learn {version('scikit-learn')} has other digits than the documentation's figures were measured on"
    pictures, targets = pictures[rows], targets[rows]
    digest = fingerprint(pictures, targets)
    return ArraySamples("digits", pictures, targets, task, rows, digest, () if same else (other,))


def _read() -> tuple[np.ndarray, np.ndarray]:
    """Return the gray values, uint8 (n, 8, 8) of 0..16, and labels, int64 (n,), of scikit-learn's file.

    `load_digits` returns the same, but importing it takes several times longer than a short training.
    """
    package = find_spec("sklearn")
    folders = package.submodule_search_locations if package else None
    file = Path((folders or ["sklearn"])[0], *_FILE)
    if not file.is_file():
        raise MissingInput(f"dataset 'digits': {file} is missing; reinstall scikit-learn")
    with gzip.open(file, "rt", encoding="ascii") as rows:
        values = np.loadtxt(rows, delimiter=",")
    return values[:, :-1].reshape(-1, 8, 8).astype(np.uint8), values[:, -1].astype(np.int64)


def _rows_of(split: str, targets: np.ndarray) -> np.ndarray:
    """Return the row indices of a split, stratified by class."""
    low, high = _SHARES[split]
    rng = np.random.Generator(np.random.Philox(_PARTITION_SEED))
    rows_by_class = []
    for label in range(10):
        shuffled = rng.permutation(np.flatnonzero(targets == label))
        rows_by_class.append(shuffled[round(low * len(shuffled)) : round(high * len(shuffled))])
    return np.sort(np.concatenate(rows_by_class))
