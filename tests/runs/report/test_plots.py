import json

import cv2
import numpy as np
import pytest
from matplotlib import cbook

from ftaug.runs.report import plots


def write_metrics(folder, epochs=3, measured=True):
    rows = []
    for step in range(1, 10 * epochs + 1):
        rows.append({"step": step, "epoch": step / 10, "loss": 2.0 / step, "lr": 1e-3, "samples": 8})
        if measured and step % 10 == 0:
            rows.append(
                {"step": step, "epoch": step / 10, "val": {"loss": 0.5, "accuracy": 0.9, "auroc": float("nan")}}
            )
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def ink(path):
    """Share of the picture that is not white."""
    picture = cv2.imread(str(path))
    return float((picture < 250).any(axis=2).mean())


@pytest.mark.parametrize(("epochs", "measured"), [(1, True), (40, True), (3, False)])
def test_curves_are_drawn_whatever_was_measured(tmp_path, epochs, measured):
    write_metrics(tmp_path, epochs, measured)
    path = plots.curves(tmp_path)
    assert path == tmp_path / "report" / "curves.png"
    height, width = cv2.imread(str(path)).shape[:2]
    assert width > height > 300
    assert ink(path) > 0.02


def test_curves_of_a_run_without_rows_are_drawn_empty(tmp_path):
    (tmp_path / "metrics.jsonl").write_text("")
    assert plots.curves(tmp_path).is_file()


def test_a_perfect_matrix_is_dark_on_its_diagonal_alone(tmp_path):
    path = plots.confusion(np.diag([5, 5]), ["a", "b"], tmp_path / "confusion.png")
    picture = cv2.imread(str(path)).astype(int)
    dark = (picture[..., 0] - picture[..., 2] > 60) & (picture.sum(axis=2) < 300)
    rows, columns = dark.any(axis=1).nonzero()[0], dark[:, : int(dark.shape[1] * 0.8)].any(axis=0).nonzero()[0]
    middle_row, middle_column = (rows[0] + rows[-1]) // 2, (columns[0] + columns[-1]) // 2
    assert dark[rows[0] + 20, columns[0] + 20] and dark[rows[-1] - 20, columns[-1] - 20]
    assert not dark[middle_row + 20, columns[0] + 20] and not dark[rows[0] + 20, middle_column + 20]


@pytest.mark.parametrize("classes", [2, 30, 100])
def test_matrices_of_any_size_stay_pictures_of_a_sane_size(tmp_path, classes):
    path = plots.confusion(np.eye(classes, dtype=int), [str(c) for c in range(classes)], tmp_path / "confusion.png")
    assert max(cv2.imread(str(path)).shape) < 2500


def test_class_names_are_texts_not_formulas(tmp_path, monkeypatch):
    names = ["$", "$x_", "$a$", "犬", "a" * 200, "line\nbreak", "zero"]
    drawn = []
    real = plots.write_figure
    monkeypatch.setattr(plots, "write_figure", lambda figure, path: drawn.append(figure) or real(figure, path))
    path = plots.confusion(np.zeros((7, 7), int), names, tmp_path / "confusion.png")
    labels = [label.get_text() for label in drawn[0].axes[0].get_yticklabels()]
    assert len(labels) == 7 and not any(cbook.is_math_text(label) for label in labels)
    assert [label.replace("\\$", "$") for label in labels[:4]] == names[:4]
    assert len(labels[4]) == 24
    assert cv2.imread(str(path)) is not None
