"""The picture of a calibration shows the bins of both diagrams and both curves."""

import pytest
from calibrations import opened_run, overconfident

from ftaug.runs.calibrate import calibrate
from ftaug.runs.report import calibration_plot


def test_the_picture_has_the_diagrams_and_the_curves(tmp_path, monkeypatch):
    report = calibrate(opened_run(*overconfident(200)))
    figures = []
    write = calibration_plot.write_figure
    monkeypatch.setattr(calibration_plot, "write_figure", lambda f, target: figures.append(f) or write(f, target))
    path = calibration_plot.draw(report, tmp_path / "calibration.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    *diagrams, curves = figures[0].axes
    for axes, bins in zip(diagrams, report.diagrams, strict=True):
        points = axes.containers[1].lines[0]
        assert points.get_xdata() == pytest.approx([each.confidence for each in bins])
        assert points.get_ydata() == pytest.approx([each.accuracy for each in bins])
        assert sum(bar.get_height() for bar in axes.containers[0]) == pytest.approx(1)
    for line, curve in zip(curves.lines, report.curves, strict=True):
        assert line.get_ydata() == pytest.approx(curve.risk)
