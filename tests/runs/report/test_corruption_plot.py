import numpy as np
import pytest

from ftaug.runs.report import corruption_plot

LEVELS = {"fog": (0.9, 0.5, 0.25), "rotate: {degrees: 30}": (0.75,), "noise": (0.875, 0.625, 0.125)}
CATEGORIES = {"fog": "weather", "rotate: {degrees: 30}": "other", "noise": "noise"}


def report(metric="accuracy"):
    rows = [
        {
            "corruption": name,
            "category": CATEGORIES[name],
            "extra": name == "noise",
            "levels": [{"value": value} for value in values],
        }
        for name, values in LEVELS.items()
    ]
    return {"metric": metric, "clean": {"value": 1.0}, "mean": {"value": 0.6}, "corruptions": rows}


@pytest.mark.parametrize(("metric", "decimals"), [("accuracy", ".2f"), ("mae", ".3g")])
def test_each_cell_shows_the_metric_of_a_corruption_at_a_severity(tmp_path, monkeypatch, metric, decimals):
    figures = []
    write = corruption_plot.write_figure
    monkeypatch.setattr(corruption_plot, "write_figure", lambda f, path: figures.append(f) or write(f, path))
    assert corruption_plot.draw(report(metric), tmp_path / "corruptions.png").is_file()
    axes = figures[0].axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["rotate: {degrees: 30} (other)", "fog (weather)", "noise (noise)"]  # the extra one last
    assert [label.get_text() for label in axes.get_xticklabels()] == ["none", "1", "2", "3"]
    shown = {(int(text.get_position()[1]), int(text.get_position()[0])): text.get_text() for text in axes.texts}
    for row, name in enumerate(["rotate: {degrees: 30}", "fog", "noise"]):
        for severity, value in enumerate((1.0, *LEVELS[name])):
            assert shown.pop((row, severity)) == f"{value:{decimals}}"
    assert not shown
    lightest = np.asarray(axes.images[0].cmap(axes.images[0].norm(1.0)))[:3].sum()
    assert (lightest > np.asarray(axes.images[0].cmap(axes.images[0].norm(0.2)))[:3].sum()) == (metric == "accuracy")
