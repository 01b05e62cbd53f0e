"""Groups of samples that belong on one side of a split: those of the data, joined where samples are duplicates."""

from __future__ import annotations

import numpy as np

from ftaug.data import split_groups
from ftaug.runs.doctor import duplicates
from ftaug.runs.doctor.duplicates import Duplicates
from ftaug.runs.doctor.scan import Scan


def joined_groups(scan: Scan, pairs: Duplicates) -> np.ndarray:
    """Return the group of each row of a scan, int64 (n,), numbered from 0; a sample without any is its own group."""
    result = split_groups.joined(duplicates.group_ids(pairs.pairs, len(scan)), _dataset_groups(scan))
    return np.arange(len(scan)) if result is None else result


def _dataset_groups(scan: Scan) -> np.ndarray:
    """Return the groups of the datasets; those of different datasets have different numbers."""
    groups, first = np.empty(len(scan), np.int64), {}
    start = 0
    for split in scan.splits.values():
        if id(split.samples) not in first:
            first[id(split.samples)] = start
            start += len(split.samples)
    for purpose, split in scan.splits.items():
        rows = scan.rows(purpose)
        ids = split.ids[scan.positions[rows]]
        of_samples = split.samples.groups
        local = ids if of_samples is None else np.unique(of_samples, return_inverse=True)[1][ids]
        groups[rows] = first[id(split.samples)] + local
    return groups
