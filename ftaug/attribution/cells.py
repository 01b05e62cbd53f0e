"""Cells of equal size over an image."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from ftaug.config.types import Wording

Cells = Annotated[int, Field(ge=2, le=1024), Wording("a whole number from 2 to 1024")]


def cell_bounds(height: int, width: int, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where rows and columns of cells begin and end, with `cells` along the shorter side; at least a pixel."""
    side = max(1.0, min(height, width) / cells)
    rows, columns = (np.linspace(0, size, round(size / side) + 1).round().astype(int) for size in (height, width))
    return rows, columns


def add_up(values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Add up values (H, W) within cells: (rows, columns)."""
    return np.asarray(np.add.reduceat(np.add.reduceat(values, rows[:-1], axis=0), columns[:-1], axis=1))
