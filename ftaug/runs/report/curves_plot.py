"""Plot the course of a training: losses with their gap, validation metrics and the learning rate, over epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftaug.engine.system.run_files import read_rows
from ftaug.engine.system.storage import make_inside
from ftaug.runs.report.plot_style import (
    BLACK,
    NEUTRAL,
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
    from matplotlib.axes import Axes

ABREAST = 3
"""Panels side by side."""


@styled
def curves(run: Path, best_step: int | None = None) -> Path:
    """Plot the losses, metrics and learning rate of a run folder into report/curves.png; return the path."""
    rows = read_rows(run / "metrics.jsonl")
    training = [row for row in rows if "loss" in row]
    evaluations = [row for row in rows if "val" in row]
    groups = metric_groups(evaluations)
    panels = 2 + len(groups)
    figure = new_figure(width=4.8 * min(panels, ABREAST), height=3.9 * -(-panels // ABREAST))
    squares = figure.subplots(-(-panels // ABREAST), min(panels, ABREAST), squeeze=False).flatten()
    best = next((row for row in evaluations if row["step"] == best_step), None)
    draw_losses(squares[0], training, evaluations)
    for axes, names in zip(squares[1:], groups, strict=False):
        draw_metrics(axes, evaluations, names, best)
    squares[panels - 1].plot([row["epoch"] for row in training], [row["lr"] for row in training], color=NEUTRAL)
    squares[panels - 1].set_title("learning rate")
    squares[panels - 1].yaxis.set_major_formatter("{x:.1e}")
    squares[panels - 1].set_ylim(bottom=0.0)
    for axes in squares[:panels]:
        whole_epochs(axes)
    for axes in squares[: panels - 1]:
        _mark_best(axes, best)
    for axes in squares[panels:]:
        axes.set_axis_off()
    return write_figure(figure, make_inside(run / "report") / "curves.png")


def metric_groups(evaluations: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Group the metrics that share a panel: all shares from 0 to 1; every other metric has a panel of its own."""
    names = [name for name in evaluations[0]["val"] if name != "loss"] if evaluations else []
    values = {name: [row["val"][name] for row in evaluations] for name in names}
    shares = [name for name in names if all(0 <= value <= 1 for value in values[name] if math.isfinite(value))]
    return [*([shares] if shares else []), *([name] for name in names if name not in shares)]


def draw_losses(axes: Axes, training: Sequence[Mapping[str, Any]], evaluations: Sequence[Mapping[str, Any]]) -> None:
    """Draw the training loss, its mean before each evaluation, the validation loss, and the gap between these."""
    axes.set_title("loss")
    epochs, losses = [row["epoch"] for row in training], [row["loss"] for row in training]
    if not evaluations:
        axes.plot(epochs, losses, color=TRAIN, marker=marker(len(training)))
        axes.set_ylim(bottom=0.0)
        return
    axes.plot(epochs, losses, color=TRAIN, alpha=0.35, linewidth=1.0)
    at = [row["epoch"] for row in evaluations]
    means, values = mean_losses(training, evaluations), [row["val"]["loss"] for row in evaluations]
    axes.plot(at, means, color=TRAIN, marker=marker(len(at)), label=f"train: last {means[-1]:.3g}")
    axes.plot(at, values, color=VAL, marker=marker(len(at)), label=f"validation: last {values[-1]:.3g}")
    gap = f"gap: last {values[-1] - means[-1]:+.3g}"
    axes.fill_between(at, means, values, color=VAL, alpha=0.12, linewidth=0, label=gap)
    axes.set_ylim(bottom=0.0)
    axes.legend()


def mean_losses(training: Sequence[Mapping[str, Any]], evaluations: Sequence[Mapping[str, Any]]) -> list[float]:
    """Return the mean training loss of the samples before each evaluation, since the one before it."""
    means, start = [], 0
    for evaluation in evaluations:
        rows = [row for row in training if start < row["step"] <= evaluation["step"]]
        samples = sum(row.get("samples", 1) for row in rows)
        total = sum(row["loss"] * row.get("samples", 1) for row in rows)
        means.append(total / samples if samples else math.nan)
        start = evaluation["step"]
    return means


def draw_metrics(
    axes: Axes, evaluations: Sequence[Mapping[str, Any]], names: Sequence[str], best: Mapping[str, Any] | None
) -> None:
    """Draw validation metrics, with their values at the best and the last evaluation in the legend."""
    axes.set_title("validation metrics" if len(names) > 1 else f"validation {label(names[0])}")
    for name in names:
        values = [row["val"][name] for row in evaluations]
        at_best = f"best {best['val'][name]:.4g}, " if best else ""
        text = f"{label(name)}: {at_best}last {values[-1]:.4g}"
        axes.plot([row["epoch"] for row in evaluations], values, label=text, marker=marker(len(values)))
    axes.legend()


def _mark_best(axes: Axes, best: Mapping[str, Any] | None) -> None:
    """Mark the epoch of the best evaluation with a line and its number."""
    if best is None:
        return
    axes.axvline(best["epoch"], color=BLACK, linestyle=":", linewidth=1.0)
    text = f"best: {best['epoch']:.4g}"
    axes.annotate(text, (best["epoch"], 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom", fontsize=8)
