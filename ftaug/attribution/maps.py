"""Maps of attributions at any resolution."""

from __future__ import annotations

import numpy as np

from ftaug.interfaces.explanation import Attribution


def at_input(attribution: Attribution, height: int, width: int) -> np.ndarray:
    """Return the map of an attribution at each value of the model's input: float64 (H, W)."""
    return at_positions(attribution, *((np.arange(count) + 0.5) / count for count in (height, width)))


def extreme(attribution: Attribution, height: int, width: int, share: float, most: bool) -> np.ndarray:
    """Return where the given share of the highest or of the lowest values lies: bool (height, width)."""
    order = at_input(attribution, height, width).ravel().argsort(kind="stable")
    count = round(share * order.size)
    chosen = np.zeros(order.size, bool)
    chosen[order[len(order) - count :] if most else order[:count]] = True
    return chosen.reshape(height, width)


def at_positions(attribution: Attribution, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the values at shares 0…1 of the height and the width of the model's input; NaN where they are NaN."""
    values, smooth = attribution.values, attribution.smooth
    by_row = _weights(rows, values.shape[0], smooth) @ values
    return np.asarray(by_row @ _weights(columns, values.shape[1], smooth).T)


def _weights(positions: np.ndarray, cells: int, smooth: bool) -> np.ndarray:
    """Return the matrix that takes cells to positions, linearly between their centers or not: (positions, cells)."""
    places = np.clip(positions * cells - 0.5, 0, cells - 1)
    if not smooth:
        places = np.clip(np.floor(positions * cells), 0, cells - 1)
    return np.where(np.isnan(positions)[:, None], np.nan, np.maximum(0, 1 - np.abs(places[:, None] - np.arange(cells))))
