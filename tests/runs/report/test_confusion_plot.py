import cv2
import numpy as np
import pytest
from matplotlib import cbook

from ftaug.runs.report import confusion_plot
from ftaug.runs.report.confusion_plot import confusion, most_confused


@pytest.fixture
def drawn(monkeypatch):
    """The figures that were written."""
    figures = []
    write = confusion_plot.write_figure
    monkeypatch.setattr(confusion_plot, "write_figure", lambda f, path: figures.append(f) or write(f, path))
    return figures


def overlaps(figure, texts):
    boxes = [text.get_window_extent(figure.canvas.get_renderer()) for text in texts if text.get_text()]
    return any(a.overlaps(b) for number, a in enumerate(boxes) for b in boxes[:number])


def test_a_perfect_matrix_is_dark_on_its_diagonal_alone(tmp_path):
    path = confusion(np.diag([5, 5]), ["a", "b"], tmp_path / "confusion.png")
    picture = cv2.imread(str(path)).astype(int)
    dark = (picture[..., 0] - picture[..., 2] > 60) & (picture.sum(axis=2) < 300)
    rows, columns = dark.any(axis=1).nonzero()[0], dark[:, : int(dark.shape[1] * 0.75)].any(axis=0).nonzero()[0]
    middle_row, middle_column = (rows[0] + rows[-1]) // 2, (columns[0] + columns[-1]) // 2
    assert dark[rows[0] + 20, columns[0] + 20] and dark[rows[-1] - 20, columns[-1] - 20]
    assert not dark[middle_row + 20, columns[0] + 20] and not dark[rows[0] + 20, middle_column + 20]


@pytest.mark.parametrize("count", [2, 12, 40])
def test_names_are_whole_and_apart_in_a_picture_of_a_sane_size(tmp_path, drawn, count):
    names = [f"class {number}: scratched across the grain for {number} mm or more" for number in range(count)]
    path = confusion(np.eye(count, dtype=int) * 1234, names, tmp_path / "confusion.png")
    axes = drawn[0].axes[0]
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text().replace("\n", " ") for label in labels] == names
        assert not overlaps(drawn[0], labels)
    assert [text.get_text() for text in axes.texts] == ["1,234"] * count
    assert not overlaps(drawn[0], axes.texts)
    assert max(cv2.imread(str(path)).shape) < 3500


def test_many_classes_are_shown_by_the_pairs_that_are_confused_most(tmp_path, drawn):
    matrix = np.eye(200, dtype=int) * 50
    matrix[7, 9], matrix[150, 3], matrix[151, 150] = 20, 30, 1
    names = [f"species {number}" for number in range(200)]
    confusion(matrix, names, tmp_path / "confusion.png")
    assert most_confused(matrix) == [(150, 3), (7, 9), (151, 150)]
    axes = drawn[0].axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["species 150\n→ species 3", "species 7\n→ species 9", "species 151\n→ species 150"]
    assert [text.get_text() for text in axes.texts] == ["30 of 80", "20 of 70", "1 of 51"]
    assert "10,000 of 10,051 predictions are correct (99.5%)" in drawn[0].get_suptitle()
    confusion(np.eye(41, dtype=int), names[:41], tmp_path / "perfect.png")
    assert len(drawn) == 2


def test_class_names_are_texts_not_formulas(tmp_path, drawn):
    names = ["$", "$x_", "$a$", "犬", "line\nbreak"]
    confusion(np.zeros((5, 5), int), names, tmp_path / "confusion.png")
    labels = [label.get_text() for label in drawn[0].axes[0].get_yticklabels()]
    assert not any(cbook.is_math_text(label) for label in labels)
    assert [label.replace("\\$", "$") for label in labels] == [*names[:4], "line break"]
