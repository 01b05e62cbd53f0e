"""Plot the learning rate of each stage over the steps of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ftaug.engine.training.parameter_summary import Row
from ftaug.interfaces.model import TrainingLength
from ftaug.runs.report.plot_style import SEQUENTIAL, label, new_figure, styled, write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@styled
def draw(rates: Sequence[tuple[int, float]], rows: Sequence[Row], length: TrainingLength, path: Path) -> None:
    """Plot the learning rate of each stage over the steps of the run."""
    figure = new_figure(width=9.0, height=4.5)
    axes = figure.subplots()
    alike: dict[tuple[int, float, tuple[tuple[int, float], ...]], list[str]] = {}
    for row in rows:
        if row.from_step is not None:
            alike.setdefault((row.from_step, row.lr_factor, row.changes), []).append(row.stage)
    for number, ((start, factor, changes), stages) in enumerate(alike.items()):
        _draw_course(axes, rates, ((start, factor), *changes), stages, number / max(1, len(alike) - 1))
    factors = [factor for start, first, changes in alike for _, factor in ((start, first), *changes)]
    if max(factors) / min(factors) > 30:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0.0)
    axes.set(title="learning rate of each stage", xlabel="step", xlim=(0, length.total_steps))
    lines, names = axes.get_legend_handles_labels()
    figure.legend(lines[::-1], names[::-1], loc="outside right upper")  # the head's is the highest line
    write_figure(figure, path)


def _draw_course(
    axes: Axes,
    rates: Sequence[tuple[int, float]],
    factors: Sequence[tuple[int, float]],
    stages: Sequence[str],
    shade: float,
) -> None:
    """Plot the learning rate of stages that share it; the lighter the shade, the nearer to the head.

    `factors` are the steps from which each factor of the rate applies.
    """
    from matplotlib import colormaps

    name = label(", ".join(stages) if len(stages) <= 3 else f"{stages[0]} … {stages[-1]}")
    start = factors[0][0]
    points = [
        (step, rate * next(factor for at, factor in reversed(factors) if at <= step))
        for step, rate in rates
        if step >= start
    ]
    color = colormaps[SEQUENTIAL](0.78 * (1 - shade))
    times = ", then ".join(f"{factor:.3g}" for _, factor in factors)
    axes.plot(*zip(*points, strict=True), color=color, label=f"{name} × {times}" if times != "1" else name)
    if start:
        axes.plot(*points[0], marker="o", color=color)
