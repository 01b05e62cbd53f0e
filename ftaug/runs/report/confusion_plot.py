"""Plot a confusion matrix, or of many classes the pairs that are confused most often."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ftaug.runs.report.plot_style import BLUE, SHADES, label, new_figure, styled, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CLASSES = 40
"""Number of classes up to which the whole matrix is drawn."""

PAIR_WIDTH = 44
"""Characters of a line of their names."""

PAIRS = 25
"""Maximum number of pairs of classes that are drawn of more classes."""


@styled
def confusion(matrix: np.ndarray, classes: Sequence[str], path: Path) -> Path:
    """Plot a confusion matrix (classes, classes), rows the true classes; return the path."""
    if len(classes) > MOST_CLASSES:
        return _draw_pairs(matrix, classes, path)
    return _draw_matrix(matrix, classes, path)


def _draw_matrix(matrix: np.ndarray, classes: Sequence[str], path: Path) -> Path:
    """Draw the matrix, colored by the share of the true class, with the count in each cell."""
    count = len(classes)
    share = matrix / matrix.sum(axis=1, keepdims=True).clip(min=1)
    names = [label(name) for name in classes]
    lines = max(name.count("\n") + 1 for name in names)
    room = 0.085 * max(max(map(len, name.split("\n"))) for name in names)  # inches of the longest line
    cell = max(0.42, 0.17 * lines, 0.11 * len(f"{int(matrix.max()):,}"), min(1.1 * room, 5.2 / count))
    side = max(2.4, cell * count)
    is_upright = room > side / count
    figure = new_figure(width=side + room + 1.8, height=side + (room if is_upright else 0.2 * lines) + 0.9)
    axes = figure.subplots()
    image = axes.imshow(share, cmap=SHADES, vmin=0.0, vmax=1.0)
    axes.set(xlabel="predicted", ylabel="true")
    figure.suptitle(_title(matrix), x=0.01, ha="left")
    axes.set_xticks(range(count), names, rotation=90 if is_upright else 0)
    axes.set_yticks(range(count), names)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for row, column in zip(*matrix.nonzero(), strict=True):
        color = "white" if share[row, column] > 0.55 else "black"
        axes.text(column, row, f"{matrix[row, column]:,}", ha="center", va="center", color=color, fontsize=8)
    figure.colorbar(image, ax=axes, shrink=min(1.0, 3.0 / side), pad=0.03, label="share of the true class")
    return write_figure(figure, path)


def _draw_pairs(matrix: np.ndarray, classes: Sequence[str], path: Path) -> Path:
    """Draw how often each of the most confused pairs is confused, as counts and shares of the true class."""
    pairs = most_confused(matrix)
    labels = [label(name, PAIR_WIDTH) for name in classes]
    names = [f"{labels[true]}\n→ {labels[predicted]}" for true, predicted in pairs]
    lines = sum(name.count("\n") + 1 for name in names)
    figure = new_figure(width=9.0, height=max(2.0, 1.3 + 0.16 * lines + 0.1 * len(pairs)))
    axes = figure.subplots()
    figure.suptitle(_title(matrix), x=0.01, ha="left")
    if not pairs:
        axes.set_axis_off()
        return write_figure(figure, path)
    counts = [int(matrix[pair]) for pair in pairs]
    bars = axes.barh(range(len(pairs)), counts, color=BLUE)
    totals = [int(matrix[true].sum()) for true, _ in pairs]
    texts = [f"{count:,} of {total:,}" for count, total in zip(counts, totals, strict=True)]
    axes.bar_label(bars, texts, padding=3, fontsize=8)
    axes.set_yticks(range(len(pairs)), names, fontsize=8)
    axes.margins(x=0.12, y=0.01)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    _whole_counts(axes)
    axes.set(xlabel="predictions", title=f"the most confused of {len(classes):,} classes: true → predicted")
    return write_figure(figure, path)


def most_confused(matrix: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs of a true and another predicted class, those with most predictions first, at most `PAIRS`."""
    wrong = matrix - np.diag(matrix.diagonal())
    order = np.argsort(-wrong, axis=None, kind="stable")[:PAIRS]
    pairs = [divmod(int(place), len(matrix)) for place in order]
    return [pair for pair in pairs if wrong[pair]]


def _whole_counts(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _title(matrix: np.ndarray) -> str:
    right, total = int(matrix.trace()), int(matrix.sum())
    return f"{right:,} of {total:,} predictions are correct ({right / max(total, 1):.1%})"
