"""How far an output drops when parts of its input are hidden (Zeiler & Fergus 2013, arXiv:1311.2901)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

AT_ONCE = 64
"""Copies of a sample that are in memory at once."""


def occlude(
    scores: Callable[[Tensor], np.ndarray], sample: Tensor, hidden: Tensor, rows: np.ndarray, columns: np.ndarray
) -> np.ndarray:
    """Return how far the score of a sample (1, C, H, W) drops when a cell is replaced by `hidden`, (C, 1, 1).

    `rows` and `columns` are the bounds of the cells; `scores` maps (n, C, H, W) to (n,).
    """
    shape = (len(rows) - 1, len(columns) - 1)
    cells = [*np.ndindex(shape)]
    whole, drops = scores(sample)[0], []
    for start in range(0, len(cells), AT_ONCE):
        chunk = cells[start : start + AT_ONCE]
        copies = sample.repeat(len(chunk), 1, 1, 1)
        for copy, (row, column) in zip(copies, chunk, strict=True):
            copy[:, rows[row] : rows[row + 1], columns[column] : columns[column + 1]] = hidden
        drops.append(whole - scores(copies))
    return np.concatenate(drops).reshape(shape)
