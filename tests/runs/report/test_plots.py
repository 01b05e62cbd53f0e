import pytest

from ftaug.runs.report import plots


def test_folds_show_each_value_with_their_mean(tmp_path, monkeypatch):
    figures = []
    write = plots.write_figure
    monkeypatch.setattr(plots, "write_figure", lambda f, path: figures.append(f) or write(f, path))
    done = {
        "metrics": {"accuracy": 0.9, "loss": 0.3},
        "sd": {"accuracy": 0.1, "loss": 0.02},
        "each": {"accuracy": [0.8, 0.9, 1.0], "loss": [0.28, 0.3, 0.32]},
    }
    assert plots.folds(done, tmp_path / "folds.png").is_file()
    accuracy = figures[0].axes[0]
    assert accuracy.get_title(loc="left") == "accuracy: 0.9 ± 0.1"
    points = accuracy.lines[-1]
    assert list(points.get_xdata()) == [1, 2, 3] and list(points.get_ydata()) == pytest.approx([0.8, 0.9, 1.0])
