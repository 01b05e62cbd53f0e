"""Plots of a run: training curves, confusion matrix, regression scatter, learning rate search, weight change."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftaug.engine.system.run_folder import read_rows
from ftaug.engine.system.storage import make_inside, replace
from ftaug.errors import printable

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TRAIN, VAL, RATE = "#4c78a8", "#f58518", "#777777"
NAMED_CLASSES = 60
NUMBERED_CLASSES = 25
SQUARES = 12


def curves(run: Path) -> Path:
    """Plot losses, metrics and learning rate of a run folder into report/curves.png; return the path."""
    rows = read_rows(run / "metrics.jsonl")
    training = [row for row in rows if "loss" in row]
    evaluations = [row for row in rows if "val" in row]
    figure = new_figure(width=15.0, height=4.2)
    loss, metrics, rate = figure.subplots(1, 3)
    _draw_losses(loss, training, evaluations)
    _draw_metrics(metrics, evaluations)
    rate.plot([row["epoch"] for row in training], [row["lr"] for row in training], color=RATE)
    for axes, title in ((loss, "loss"), (metrics, "validation metrics"), (rate, "learning rate")):
        axes.set(title=title, xlabel="epoch")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    rate.ticklabel_format(axis="y", style="sci", scilimits=(-2, 3))
    return write_figure(figure, make_inside(run / "report") / "curves.png")


def confusion(matrix: np.ndarray, classes: Sequence[str], path: Path) -> Path:
    """Plot a confusion matrix (classes, classes), rows the true classes, colored by the share of the row."""
    count = len(classes)
    share = matrix / matrix.sum(axis=1, keepdims=True).clip(min=1)
    side = min(3.5 + 0.38 * count, 20.0)
    figure = new_figure(width=side + 1.0, height=side)
    axes = figure.subplots()
    image = axes.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    axes.set(xlabel="predicted", ylabel="true", title=_title(matrix))
    if count <= NAMED_CLASSES:
        names = [_label(name) for name in classes]
        slanted = max(map(len, names)) > 2
        axes.set_xticks(range(count), names, rotation=45 if slanted else 0, ha="right" if slanted else "center")
        axes.set_yticks(range(count), names)
    if count <= NUMBERED_CLASSES:
        for row, column in zip(*matrix.nonzero(), strict=True):
            color = "white" if share[row, column] > 0.55 else "black"
            axes.text(column, row, f"{matrix[row, column]:,}", ha="center", va="center", color=color, fontsize=8)
    figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03, label="share of the true class")
    return write_figure(figure, path)


def scatter(true: np.ndarray, predicted: np.ndarray, names: Sequence[str], path: Path) -> Path:
    """Plot predicted against true values (n, targets), a panel per target; correct is the diagonal."""
    shown = min(len(names), SQUARES)
    columns = min(shown, 4)
    rows = -(-shown // columns)
    figure = new_figure(width=4.4 * columns, height=4.4 * rows)
    squares = figure.subplots(rows, columns, squeeze=False).flat
    for axes, name, x, y in zip(squares, names, true.T, predicted.T, strict=False):
        low, high = float(min(x.min(), y.min())), float(max(x.max(), y.max()))
        margin = 0.04 * (high - low or 1.0)
        ends = (low - margin, high + margin)
        axes.plot(ends, ends, color=RATE, linewidth=1.0)
        axes.scatter(x, y, s=14, alpha=max(0.1, min(0.8, 60 / len(x) ** 0.7)), color=TRAIN, linewidths=0)
        axes.set(xlabel="true", ylabel="predicted", title=_label(name), xlim=ends, ylim=ends, aspect="equal")
        axes.grid(alpha=0.25)
    for axes in figure.axes[shown:]:
        axes.set_axis_off()
    return write_figure(figure, path)


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
    axes.axvline(alpha, color=RATE, linestyle=":")
    axes.set(title=f"validation {metric}", xlabel="from the first weights (0) to the last (1)")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False)
    return write_figure(figure, make_inside(run / "report") / "blend.png")


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
    for (name, (rate, loss)), marker in zip(suggested.items(), "ovs^D", strict=False):
        axes.plot([rate], [loss], marker, color=VAL, markersize=8, label=f"{name}: {rate:.1e}")
    axes.axvline(peak, color=RATE, linestyle=":", label=f"lr.peak: {peak:g}")
    low, high = min(smoothed), max(smoothed[: max(1, len(smoothed) // 2)])
    margin = 0.25 * (high - low or 1.0)
    axes.set(xscale="log", xlabel="learning rate", ylabel="training loss", ylim=(low - margin, high + 2 * margin))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return write_figure(figure, path)


def weight_change(change: Mapping[str, float], rows: Sequence[Mapping[str, Any]], path: Path) -> Path:
    """Plot the weight change of each stage and its gradient norm over the epochs into `path`."""
    from matplotlib import colormaps

    stages = list(change)
    figure = new_figure(width=11.0, height=max(3.2, 0.8 + 0.28 * len(stages)))
    bars, course = figure.subplots(1, 2, width_ratios=(1, 1.4))
    colors = [colormaps["viridis"](0.9 * number / max(1, len(stages) - 1)) for number in range(len(stages))]
    bars.barh(range(len(stages)), [100 * change[stage] for stage in stages], color=colors)
    bars.set_yticks(range(len(stages)), [_label(stage) for stage in stages])
    bars.invert_yaxis()
    bars.set(xlabel="% of the weights' norm", title="weight change")
    for stage, color in zip(stages, colors, strict=True):
        recorded = [row for row in rows if stage in row.get("gradients", {})]
        if recorded:
            epochs = [row["epoch"] for row in recorded]
            norms = [row["gradients"][stage] for row in recorded]
            course.plot(epochs, norms, color=color, marker=_marker(recorded), label=_label(stage))
    course.set(xlabel="epoch", title="norm of the gradient", yscale="log")
    for axes in (bars, course):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    return write_figure(figure, path)


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
        axes.axvline(0.0, color=RATE, linestyle=":")
        axes.set(title=metric, ylim=(len(names) - 0.5, -0.5))
        axes.set_yticks(range(len(names)), [_label(name) for name in names])
        axes.locator_params(axis="x", nbins=5)
        axes.grid(alpha=0.25, axis="x")
        axes.spines[["top", "right"]].set_visible(False)
    for axes in figure.axes[len(panels) :]:
        axes.set_axis_off()
    figure.supxlabel(printable(title).replace("$", r"\$"), fontsize="medium")
    return write_figure(figure, path)


def _draw_losses(axes: Axes, training: Sequence[dict[str, Any]], evaluations: Sequence[dict[str, Any]]) -> None:
    epochs, losses = [row["epoch"] for row in training], [row["loss"] for row in training]
    axes.plot(epochs, losses, color=TRAIN, label="train", marker=_marker(training))
    if evaluations:
        values = [row["val"]["loss"] for row in evaluations]
        axes.plot(
            [row["epoch"] for row in evaluations], values, color=VAL, label="validation", marker=_marker(evaluations)
        )
        axes.legend(frameon=False)
    axes.set_ylim(bottom=0.0)


def _draw_metrics(axes: Axes, evaluations: Sequence[dict[str, Any]]) -> None:
    names = [name for name in evaluations[0]["val"] if name != "loss"] if evaluations else []
    for name in names:
        values = [row["val"][name] for row in evaluations]
        label = f"{name} (last {values[-1]:.3f})"
        axes.plot([row["epoch"] for row in evaluations], values, label=label, marker=_marker(evaluations))
    if names:
        axes.legend(frameon=False)
    else:
        axes.text(0.5, 0.5, "nothing was measured", ha="center", va="center", transform=axes.transAxes)


def _marker(rows: Sequence[object]) -> str:
    """Choose a marker for short curves, so that a single point is visible."""
    return "o" if len(rows) <= 30 else ""


def _title(matrix: np.ndarray) -> str:
    right, total = int(matrix.trace()), int(matrix.sum())
    return f"{right:,} of {total:,} right ({right / max(total, 1):.1%})"


def _label(name: str) -> str:
    """Shorten a class name for an axis and escape `$`, which would start a formula."""
    return printable(name if len(name) <= 24 else f"{name[:23]}…").replace("$", r"\$")


def new_figure(width: float, height: float) -> Figure:
    """Create a figure of a size in inches, without a window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def write_figure(figure: Figure, path: Path) -> Path:
    """Write a figure to a file, all at once; return the path."""
    image = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # characters that the font lacks
        figure.savefig(image, dpi=110, format=path.suffix.removeprefix(".") or "png")
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, image.getvalue())
    return path
