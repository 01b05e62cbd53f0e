"""Bootstrap draws of records as counts: each draw weights a record by how often it was drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from ftaug.statistics.distributions import normal_cdf, student_quantile
from ftaug.statistics.records import Records, Weights

DRAWS = 2000
BLOCK = 1 << 20
"""Number of weights computed at once; bounds the memory."""


Method = Literal["bootstrap", "stratified bootstrap", "cluster bootstrap"]


class Sampling(NamedTuple):
    """What is drawn with replacement: units, within strata. A unit is a record, or a group of dependent records."""

    method: Method
    units: np.ndarray  # unit of each record, (n,)
    strata: np.ndarray  # stratum of each unit, (units,)

    @property
    def degrees(self) -> int:
        """Degrees of freedom: units less strata."""
        return len(self.strata) - len(np.unique(self.strata))

    @property
    def stretch(self) -> float:
        """How much larger the standard deviation is than that of draws, which vary too little within strata."""
        return math.sqrt(len(self.strata) / self.degrees)

    def count(self, rows: np.ndarray) -> int:
        """Number of units that hold a record of a mask (n,)."""
        if len(self.strata) == len(self.units):  # each record is a unit
            return int(rows.sum())
        return len(np.unique(self.units[rows]))


def sampling(records: Records) -> Sampling:
    """Draw groups where there are any, else records within their class; classes of one record are drawn together."""
    if records.groups is not None:
        distinct, units = np.unique(records.groups, return_inverse=True)
        return Sampling("cluster bootstrap", units, np.zeros(len(distinct), int))
    units = np.arange(len(records))
    if records.task.kind != "single_label":
        return Sampling("bootstrap", units, np.zeros(len(records), int))
    alone = np.bincount(records.targets, minlength=records.classes) == 1
    strata = np.where(alone[records.targets], records.classes, records.targets)
    return Sampling("stratified bootstrap", units, strata)


def bootstrap_weights(design: Sampling, draws: int = DRAWS, seed: int = 0) -> Iterator[Weights]:
    """Yield the weights (n, draws) of the records in blocks of draws; equal seeds give equal weights."""
    rng = np.random.default_rng(seed)
    order = np.argsort(design.strata, kind="stable")
    starts, sizes = np.unique(design.strata[order], return_index=True, return_counts=True)[1:]
    first, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
    units, block = len(order), max(1, BLOCK // max(len(design.units), 1))
    for begin in range(0, draws, block):
        rows = min(block, draws - begin)
        drawn = first + (rng.random((rows, units)) * size).astype(np.int64)
        drawn += units * np.arange(rows)[:, None]
        counts = np.empty((units, rows))
        counts[order] = np.bincount(drawn.ravel(), minlength=rows * units).reshape(rows, units).T
        yield counts if units == len(design.units) else counts[design.units]


def percentile_interval(values: np.ndarray, design: Sampling, level: float = 0.95) -> tuple[float, float]:
    """Expanded percentile interval of bootstrap values (draws,); values that are not a number are left out.

    Draws within strata vary too little, by units less strata over units, and a percentile ignores that the spread is
    itself estimated: Student's quantile times the root of the inverse makes up for both (Hesterberg 2015, section 3.3).
    """
    values = values[~np.isnan(values)]
    if design.degrees < 1 or not len(values):
        return math.nan, math.nan
    tail = normal_cdf(-design.stretch * student_quantile((1 + level) / 2, design.degrees))
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
