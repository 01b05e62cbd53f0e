"""Columns of a table that hold numbers to be told: the targets of regression."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ftaug.errors import BadData, ExperimentError
from ftaug.interfaces import Task

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Numbers:
    """The columns of the numbers, by their names."""

    columns: tuple[str, ...]

    @classmethod
    def of(cls, dataset: str, target: str | tuple[str, ...] | None, others: Mapping[str, Any]) -> Numbers | None:
        """The columns that `target` names; raises ExperimentError where settings beside it are for classes."""
        if target is None:
            return None
        columns = (target,) if isinstance(target, str) else target
        for name, value in others.items():
            if value is not None:
                raise ExperimentError(f"{dataset}: target is for numbers and {name} for classes; leave one out")
        if not columns or len(set(columns)) < len(columns):
            raise ExperimentError(f"{dataset}: target must be a column, or a list of different ones")
        return cls(columns)

    @property
    def task(self) -> Task:
        """What is to be told."""
        return Task(self.columns, regression=True)

    def read(self, values: Sequence[Any]) -> list[float]:
        """The numbers of a row; raises BadData."""
        return [_number(column, value) for column, value in zip(self.columns, values, strict=True)]


def _number(column: str, value: Any) -> float:
    try:
        if isinstance(value, bool):
            raise ValueError
        number = float(value)
    except (TypeError, ValueError):
        shown = "nothing" if value in (None, "") else f"'{value}'"
        raise BadData(f"column '{column}' must hold a number; got {shown}") from None
    if not math.isfinite(number) or abs(number) > _LARGEST:
        raise BadData(f"column '{column}' must hold a finite number; got '{value}'")
    return number
