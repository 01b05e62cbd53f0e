"""The plot of learning rates: each line is the schedule times the factors of its stages."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from ftaug.engine.training.parameter_summary import Row
from ftaug.interfaces.model import TrainingLength
from ftaug.runs.report import rate_plot

RATES = [(0, 0.01), (2, 0.02), (4, 0.03), (6, 0.02), (8, 0.01)]


def row(stage, start, factor, changes=()):
    return Row(stage, 100, start, factor, changes, 0.0, 0.0, 0.0, 0, 0, None)


@pytest.fixture
def plot(monkeypatch, tmp_path):
    """Draw rows; return the axes of the figure."""
    figures = []
    save = Figure.savefig

    def keep(figure, *arguments, **options):
        figures.append(figure)
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", keep)

    def plot(*rows):
        rate_plot.draw(RATES, rows, TrainingLength(10, 5), tmp_path / "report" / "rates.png")
        with Image.open(tmp_path / "report" / "rates.png") as picture:
            assert picture.format == "PNG"
        return figures[-1].axes[0]

    return plot


def courses(axes):
    return {line.get_label(): line.get_xydata() for line in axes.get_lines() if not line.get_label().startswith("_")}


def test_a_stage_starts_at_its_step_with_its_factor(plot):
    axes = plot(row("stem", None, 0.0), row("body", 4, 0.5), row("head", 0, 1.0))
    assert list(courses(axes)) == ["body × 0.5", "head"]
    np.testing.assert_allclose(courses(axes)["body × 0.5"], [(4, 0.015), (6, 0.01), (8, 0.005)])
    np.testing.assert_allclose(courses(axes)["head"], RATES)
    assert (axes.get_yscale(), axes.get_ylim()[0], axes.get_xlim()) == ("linear", 0.0, (0.0, 10.0))


def test_a_factor_changes_at_its_step(plot):
    axes = plot(row("head", 0, 1.0, changes=((4, 0.5), (8, 0.1))))
    (course,) = courses(axes).values()
    np.testing.assert_allclose(course, [(0, 0.01), (2, 0.02), (4, 0.015), (6, 0.01), (8, 0.001)])


def test_stages_with_equal_rates_share_a_line(plot):
    axes = plot(*(row(f"block{i}", 0, 0.1) for i in range(5)), row("head", 0, 1.0))
    assert list(courses(axes)) == ["block0 … block4 × 0.1", "head"]


def test_factors_far_apart_have_a_logarithmic_scale(plot):
    assert plot(row("stem", 0, 0.01), row("head", 0, 1.0)).get_yscale() == "log"
