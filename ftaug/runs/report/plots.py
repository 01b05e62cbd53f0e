"""Plots of runs: regression scatter, blends, learning rate search, weight change, comparison, folds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftaug.engine.system.storage import make_inside
from ftaug.runs.report.plot_style import (
    NEUTRAL,
    SEQUENTIAL,
    TRAIN,
    VAL,
    label,
    marker,
    new_figure,
    styled,
    whole_epochs,
    write_figure,
)

if TYPE_CHECKING:
    import numpy as np

SQUARES = 12


@styled
def scatter(true: np.ndarray, predicted: np.ndarray, names: Sequence[str], path: Path) -> Path:
    """Plot predicted against true values (n, targets), a panel per target; correct is the diagonal."""
    shown = min(len(names), SQUARES)
    columns = min(shown, 4)
    rows = -(-shown // columns)
    lines = max(label(name).count("\n") for name in names[:shown])
    figure = new_figure(width=4.4 * columns, height=(4.4 + 0.2 * lines) * rows)
    squares = figure.subplots(rows, columns, squeeze=False).flat
    for axes, name, x, y in zip(squares, names, true.T, predicted.T, strict=False):
        low, high = float(min(x.min(), y.min())), float(max(x.max(), y.max()))
        margin = 0.04 * (high - low or 1.0)
        ends = (low - margin, high + margin)
        axes.plot(ends, ends, color=NEUTRAL, linewidth=1.0)
        axes.scatter(x, y, s=14, alpha=max(0.1, min(0.8, 60 / len(x) ** 0.7)), color=TRAIN, linewidths=0)
        axes.set(xlabel="true", ylabel="predicted", title=label(name), xlim=ends, ylim=ends, aspect="equal")
    for axes in figure.axes[shown:]:
        axes.set_axis_off()
    return write_figure(figure, path)


@styled
def blend(rows: Sequence[Mapping[str, Any]], metric: str, alpha: float, run: Path) -> Path:
    """Plot a validation metric over the interpolation weight alpha into report/blend.png; mark the chosen one."""
    figure = new_figure(width=6.4, height=4.2)
    axes = figure.subplots()
    ends = [row for row in rows if row["norms"] is None]
    for norms, color in ((None, TRAIN), ("mixed", TRAIN), ("measured anew", VAL)):
        matching = [row for row in rows if row["norms"] == norms]
        shown = sorted([*matching, *(ends if norms and matching else [])], key=lambda row: row["alpha"])
        if shown and (norms or len(ends) == len(rows)):
            values = [row["metrics"][metric] for row in shown]
            label = f"BatchNorm {norms}" if norms else None
            axes.plot([row["alpha"] for row in shown], values, color=color, marker="o", label=label)
    axes.axvline(alpha, color=NEUTRAL, linestyle=":")
    axes.set(title=f"validation {metric}", xlabel="from the first weights (0) to the last (1)")
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    return write_figure(figure, make_inside(run / "report") / "blend.png")


@styled
def lr_find(
    rates: Sequence[float],
    losses: Sequence[float],
    smoothed: Sequence[float],
    suggested: Mapping[str, tuple[float, float]],
    peak: float,
    path: Path,
) -> Path:
    """Plot the loss of a learning rate range test, with each suggested rate and the smoothed loss there."""
    figure = new_figure(width=7.6, height=4.6)
    axes = figure.subplots()
    axes.plot(rates, losses, color=TRAIN, alpha=0.3, linewidth=1.0, label="loss")
    axes.plot(rates, smoothed, color=TRAIN, label="smoothed")
    for (name, (rate, loss)), shape in zip(suggested.items(), "ovs^D", strict=False):
        axes.plot([rate], [loss], shape, color=VAL, markersize=8, label=f"{name}: {rate:.1e}")
    axes.axvline(peak, color=NEUTRAL, linestyle=":", label=f"lr.peak: {peak:g}")
    low, high = min(*losses, *smoothed), max(smoothed[: max(1, len(smoothed) // 2)])
    margin = 0.25 * (high - low or 1.0)
    axes.set(
        title="learning rate range test",
        xscale="log",
        xlabel="learning rate",
        ylabel="training loss",
        ylim=(low - margin, high + 2 * margin),
    )
    axes.legend()
    return write_figure(figure, path)


@styled
def weight_change(change: Mapping[str, float], rows: Sequence[Mapping[str, Any]], path: Path) -> Path:
    """Plot the weight change of each stage and its gradient norm over the epochs into `path`."""
    from matplotlib import colormaps

    stages = list(change)
    figure = new_figure(width=11.0, height=max(3.2, 0.8 + 0.28 * len(stages)))
    bars, course = figure.subplots(1, 2, width_ratios=(1, 1.4))
    colors = [colormaps[SEQUENTIAL](0.8 * number / max(1, len(stages) - 1)) for number in range(len(stages))]
    bars.barh(range(len(stages)), [100 * change[stage] for stage in stages], color=colors)
    bars.set_yticks(range(len(stages)), [label(stage) for stage in stages])
    bars.invert_yaxis()
    bars.set(xlabel="% of the weights' norm", title="weight change")
    for stage, color in zip(stages, colors, strict=True):
        recorded = [row for row in rows if stage in row.get("gradients", {})]
        if recorded:
            epochs = [row["epoch"] for row in recorded]
            norms = [row["gradients"][stage] for row in recorded]
            course.plot(epochs, norms, color=color, marker=marker(len(recorded)), label=label(stage))
    course.set(title="norm of the gradient", yscale="log")
    whole_epochs(course)
    return write_figure(figure, path)


@styled
def differences(panels: Mapping[str, Sequence[tuple[str, float, float, float]]], title: str, path: Path) -> Path:
    """Plot the difference of each metric with its interval, a panel per metric: name, value, low and high of each run.

    An interval whose ends are not a number is left out.
    """
    names = [name for name, *_ in next(iter(panels.values()))]
    columns = min(len(panels), 3)
    rows = -(-len(panels) // columns)
    figure = new_figure(width=2.2 + 3.4 * columns, height=(1.3 + 0.34 * len(names)) * rows + 0.4)
    squares = figure.subplots(rows, columns, squeeze=False, sharey=True).flat
    for axes, (metric, entries) in zip(squares, panels.items(), strict=False):
        for position, (_, value, low, high) in enumerate(entries):
            axes.plot([low, high], [position, position], color=TRAIN, linewidth=2.0)
            axes.plot([value], [position], "o", color=TRAIN)
        axes.axvline(0.0, color=NEUTRAL, linestyle=":")
        axes.set(title=metric, ylim=(len(names) - 0.5, -0.5))
        axes.set_yticks(range(len(names)), [label(name) for name in names])
        axes.locator_params(axis="x", nbins=5)
        axes.grid(visible=False, axis="y")
    for axes in figure.axes[len(panels) :]:
        axes.set_axis_off()
    figure.supxlabel(label(title, 100), fontsize="medium")
    return write_figure(figure, path)


@styled
def folds(done: Mapping[str, Any], path: Path) -> Path:
    """Plot the validation metrics of each fold with their mean and standard deviation, a panel per metric."""
    metrics = list(done["metrics"])
    columns = min(len(metrics), 4)
    rows = -(-len(metrics) // columns)
    figure = new_figure(width=0.6 + 3.0 * columns, height=3.2 * rows)
    squares = figure.subplots(rows, columns, squeeze=False).flat
    for axes, metric in zip(squares, metrics, strict=False):
        values, mean, sd = done["each"][metric], done["metrics"][metric], done["sd"][metric]
        axes.axhspan(mean - sd, mean + sd, color=NEUTRAL, alpha=0.15, linewidth=0)
        axes.axhline(mean, color=NEUTRAL, linestyle=":")
        axes.plot(range(1, len(values) + 1), values, "o", color=VAL)
        axes.set_xticks(range(1, len(values) + 1))
        axes.set(title=f"{label(metric)}: {mean:.4g} ± {sd:.2g}", xlabel="fold")
        axes.margins(x=0.15, y=0.2)
    for axes in figure.axes[len(metrics) :]:
        axes.set_axis_off()
    return write_figure(figure, path)
