"""Plot how a model does on corrupted samples, by corruption and severity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ftaug.runs.report.plot_style import SEQUENTIAL, label, new_figure, styled, write_figure


@styled
def draw(corruptions: Mapping[str, Any], path: Path) -> Path:
    """Plot the metric of each corruption at each severity, with its value in the cell; return the path."""
    rows = sorted(corruptions["corruptions"], key=lambda row: (row["extra"], row["category"]))
    values = cells(corruptions["clean"]["value"], rows)
    is_accuracy = corruptions["metric"] == "accuracy"
    names = [label(f"{row['corruption']} ({row['category']})", 44) for row in rows]
    lines = sum(name.count("\n") + 1 for name in names)
    figure = new_figure(width=4.6 + 0.72 * values.shape[1], height=1.5 + max(0.3 * len(rows), 0.19 * lines))
    axes = figure.subplots()
    image = axes.imshow(values, cmap=SEQUENTIAL if is_accuracy else f"{SEQUENTIAL}_r", aspect="auto")
    if is_accuracy:
        image.set_clim(0.0, 1.0)
    axes.set_xticks(range(values.shape[1]), ["none", *map(str, range(1, values.shape[1]))])
    axes.set_yticks(range(len(rows)), names)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for (row, column), value in np.ndenumerate(values):
        if math.isfinite(value):
            red, green, blue, _ = image.cmap(image.norm(value))
            color = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
            text = f"{value:.2f}" if is_accuracy else f"{value:.3g}"
            axes.text(column, row, text, ha="center", va="center", color=color, fontsize=8)
    axes.set(xlabel="severity")
    title = f"{corruptions['metric']} on corrupted samples, in the mean {corruptions['mean']['value']:.4g}"
    figure.suptitle(title, x=0.01, ha="left")
    return write_figure(figure, path)


def cells(clean: float, rows: list[Mapping[str, Any]]) -> np.ndarray:
    """Return the values (corruptions, 1 + severities): without corruption, then of each severity, NaN where none is."""
    levels = max(len(row["levels"]) for row in rows)
    values = np.full((len(rows), 1 + levels), np.nan)
    values[:, 0] = clean
    for number, row in enumerate(rows):
        values[number, 1 : 1 + len(row["levels"])] = [level["value"] for level in row["levels"]]
    return values
