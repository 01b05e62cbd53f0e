"""Plot reliability diagrams before and after calibration, and the risk–coverage curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ftaug.runs.calibrate import CalibrationReport
from ftaug.runs.report.plot_style import NEUTRAL, TRAIN, new_figure, styled, write_figure
from ftaug.statistics.calibration import ReliabilityBin
from ftaug.statistics.probability_metrics import BINS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@styled
def draw(report: CalibrationReport, path: Path) -> Path:
    """Plot the held-out half before and after calibration into a PNG file; return the path."""
    figure = new_figure(width=13.5, height=5.0)
    *diagrams, curve = figure.subplots(1, 3)
    values = (report.before, report.after)
    for axes, name, bins, estimates in zip(diagrams, ("before", "after"), report.diagrams, values, strict=True):
        _draw_reliability(axes, bins)
        axes.set_title(f"{name}: ECE {estimates['ece'].value:.3f}, NLL {estimates['nll'].value:.3f}")
    _draw_risk(curve, report)
    figure.suptitle(f"{report.held_out:,} held-out validation samples")
    figure.legend(*diagrams[0].get_legend_handles_labels(), loc="outside lower left", ncols=3)
    return write_figure(figure, path)


def _draw_reliability(axes: Axes, bins: Sequence[ReliabilityBin]) -> None:
    """Plot the accuracy of each bin with its interval against its confidence, and the share of samples as bars."""
    confidence = np.array([each.confidence for each in bins])
    accuracy = np.array([each.accuracy for each in bins])
    shares = np.array([each.samples for each in bins]) / sum(each.samples for each in bins)
    ends = np.array([[each.accuracy - each.low, each.high - each.accuracy] for each in bins]).T.clip(min=0)
    places = np.clip(np.ceil(confidence * BINS) - 0.5, 0.5, BINS - 0.5) / BINS
    axes.bar(places, shares, width=0.9 / BINS, color=NEUTRAL, alpha=0.25, label="share of samples")
    axes.plot([0, 1], [0, 1], color=NEUTRAL, linestyle=":")
    axes.errorbar(confidence, accuracy, yerr=ends, fmt="o", color=TRAIN, capsize=2, label="accuracy, 95 % interval")
    axes.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1.01), ylim=(0, 1.03), aspect="equal")


def _draw_risk(axes: Axes, report: CalibrationReport) -> None:
    for name, curve, color in zip(("before", "after"), report.curves, (NEUTRAL, TRAIN), strict=True):
        axes.plot(curve.coverage, curve.risk, color=color, label=f"{name}: AURC {curve.area:.4f}")
    axes.set(xlabel="coverage", ylabel="risk: share of errors", title="most confident predictions", xlim=(0, 1.01))
    axes.set_ylim(bottom=0.0)
    axes.legend(loc="upper left")
