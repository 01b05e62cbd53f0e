"""Cells of the table of a comparison."""

import math

import pytest

from ftaug.runs.report import comparison as report
from ftaug.runs.report.console import PlainConsole
from ftaug.runs.run_comparison import MetricDifference, Side
from ftaug.statistics.comparison import Difference


def row(metric, first, second, low, high, p):
    side = Side([], [])
    return MetricDifference(side, metric, Difference(first, second, low, high, p, "mcnemar", True, p), "")


@pytest.mark.parametrize(("p", "text"), [(math.nan, "–"), (0.00002, "<0.0001"), (0.0386, "0.0386"), (1.0, "1.0000")])
def test_p_values(p, text):
    assert report.p_value(p) == text


def test_the_table_shows_value_difference_and_interval():
    rows = [row("average_precision_weighted", 0.5, 0.25, -0.5, 0.0125, 0.03), row("f1", 1, 1, math.nan, math.nan, 1.0)]
    with (console := PlainConsole(width=80)).capture() as capture:
        console.print(report.table(rows))
    lines = capture.get().splitlines()
    assert "0.5000" in capture.get() and "-0.2500" in capture.get() and "-0.5000 to +0.0125" in capture.get()
    assert "–" in next(line for line in lines if line.startswith(" f1"))
    assert "…" not in capture.get()


def test_long_lists_of_settings_are_cut(monkeypatch):
    settings = {f"key{i}": ("1", "2") for i in range(23)}
    monkeypatch.setattr(report, "differing_settings", lambda first, second: settings)
    lines = list(report._settings(Side([], []), Side([], [])))
    assert lines[1] == "  key0: 1 → 2" and lines[-1] == "  and 3 more" and len(lines) == 22
