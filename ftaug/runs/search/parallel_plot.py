"""Plot of trials in parallel coordinates: a vertical axis for each setting, a line for each trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ftaug.runs.report.plot_style import SEQUENTIAL, VAL, label, new_figure, styled, write_figure


@dataclass(frozen=True)
class Axis:
    """A setting, or the metric, with its value in each trial."""

    name: str
    values: Sequence[float]
    choices: Sequence[str] = ()  # the names of values 0, 1, 2 …
    is_log: bool = False

    @property
    def positions(self) -> np.ndarray:
        """The places of the values on the axis, from 0 to 1."""
        return self._scaled(np.array(self.values, float))

    def ticks(self) -> list[tuple[float, str]]:
        """Return places on the axis with their labels."""
        if self.choices:
            return [(self._scaled(np.array([i]))[0], label(name, 18)) for i, name in enumerate(self.choices)]
        low, high = self._range()
        middle = (low * high) ** 0.5 if self.is_log else (low + high) / 2
        values = [low] if low == high else [low, middle, high]
        return [(self._scaled(np.array([value]))[0], f"{value:.3g}") for value in values]

    def _range(self) -> tuple[float, float]:
        if self.choices:
            return 0.0, float(len(self.choices) - 1)
        return min(self.values, default=0.0), max(self.values, default=1.0)

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        low, high = self._range()
        if low == high:
            return np.full(len(values), 0.5)
        if self.is_log:
            return np.asarray(np.log(values / low) / np.log(high / low))
        return np.asarray((values - low) / (high - low))


@styled
def parallel_coordinates(axes: Sequence[Axis], higher_is_better: bool, path: Path) -> Path:
    """Plot trials as lines through their values, colored by the last axis; the best one is the thick line."""
    from matplotlib import colormaps

    figure = new_figure(width=max(6.0, 1.6 + 1.7 * len(axes)), height=4.4)
    plot = figure.subplots()
    positions = np.stack([axis.positions for axis in axes], axis=1)
    order = np.argsort(positions[:, -1] if higher_is_better else -positions[:, -1], kind="stable")
    for place, row in enumerate(order):
        is_best = place == len(order) - 1
        color = VAL if is_best else colormaps[SEQUENTIAL](float(positions[row, -1]))
        plot.plot(positions[row], color=color, linewidth=3.0 if is_best else 1.2, alpha=1.0 if is_best else 0.7)
    for x, axis in enumerate(axes):
        plot.axvline(x, color="black", linewidth=0.8)
        for y, text in axis.ticks():
            background = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}
            plot.annotate(text, (x, y), (4, 0), textcoords="offset points", va="center", fontsize=8, bbox=background)
    plot.set_xticks(range(len(axes)), [label(axis.name.rpartition(".")[2], 16) for axis in axes])
    plot.set(yticks=[], ylim=(-0.06, 1.06), xlim=(-0.1, len(axes) - 0.5))
    plot.spines[["left", "bottom"]].set_visible(False)
    plot.grid(visible=False)
    return write_figure(figure, path)
