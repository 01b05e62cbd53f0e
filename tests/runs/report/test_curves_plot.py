import json
import math

import cv2
import pytest

from ftaug.runs.report import curves_plot
from ftaug.runs.report.curves_plot import curves, mean_losses, metric_groups


def write_metrics(folder, epochs=3, measured=True):
    rows = []
    for step in range(1, 10 * epochs + 1):
        rows.append({"step": step, "epoch": step / 10, "loss": 2.0 / step, "lr": 1e-3, "samples": 8})
        if measured and step % 10 == 0:
            values = {"loss": 0.5, "accuracy": 0.9 if step == 20 else 0.8, "auroc": math.nan, "rmse": 12.0}
            rows.append({"step": step, "epoch": step / 10, "val": values})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were written."""
    figures = []
    write = curves_plot.write_figure
    monkeypatch.setattr(curves_plot, "write_figure", lambda f, path: figures.append(f) or write(f, path))
    return figures


@pytest.mark.parametrize(("epochs", "measured"), [(1, True), (40, True), (3, False)])
def test_curves_are_drawn_whatever_was_measured(tmp_path, epochs, measured):
    write_metrics(tmp_path, epochs, measured)
    path = curves(tmp_path)
    assert path == tmp_path / "report" / "curves.png"
    picture = cv2.imread(str(path))
    assert min(picture.shape[:2]) > 300
    assert (picture < 250).any(axis=2).mean() > 0.02


def test_curves_of_a_run_without_rows_are_drawn_empty(tmp_path):
    (tmp_path / "metrics.jsonl").write_text("")
    assert curves(tmp_path).is_file()


def test_the_best_epoch_is_marked_and_epochs_are_whole(tmp_path, drawn):
    write_metrics(tmp_path)
    curves(tmp_path, best_step=20)
    loss, shares, rmse, rate = drawn[0].axes[:4]
    for axes in (loss, shares, rmse):
        assert [text.get_text() for text in axes.texts] == ["best: 2"]
        assert axes.lines[-1].get_xdata()[0] == 2.0
    assert not rate.texts and rate.get_title(loc="left") == "learning rate"
    assert [text.get_text() for text in shares.get_legend().get_texts()] == [
        "accuracy: best 0.9, last 0.8",
        "auroc: best nan, last nan",
    ]
    assert [text.get_text() for text in loss.get_legend().get_texts()][1:] == [
        "validation: last 0.5",
        "gap: last +0.421",  # 0.5 and the mean of 2/21 … 2/30
    ]
    assert all(float(tick).is_integer() for axes in drawn[0].axes[:4] for tick in axes.get_xticks())


def test_the_training_loss_before_an_evaluation_is_the_mean_of_its_samples():
    training = [
        {"step": 1, "loss": 1.0, "samples": 30},
        {"step": 2, "loss": 4.0, "samples": 10},
        {"step": 3, "loss": 7.0, "samples": 10},
    ]
    means = mean_losses(training, [{"step": 2}, {"step": 3}, {"step": 4}])
    assert means[:2] == [1.75, 7.0] and math.isnan(means[2])


def test_metrics_of_other_units_have_panels_of_their_own():
    rows = [{"val": {"loss": 9.0, "f1": 1.0, "r2": -3.0, "mae": 12.0, "accuracy": 0.0}}]
    assert metric_groups(rows) == [["f1", "accuracy"], ["r2"], ["mae"]]
    assert metric_groups([]) == [] and metric_groups([{"val": {"loss": 1.0}}]) == []
