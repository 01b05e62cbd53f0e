import numpy as np
import pytest
from predictions import from_classes, multi_label, regression, single_label
from reported_runs import reported
from scipy.stats import binomtest
from sklearn import metrics as sk

from ftaug.interfaces.document import DataTable, Gallery, Paragraph
from ftaug.runs.run_report.per_class import per_class


def test_classes_are_listed_with_their_metrics_the_worst_first():
    records = single_label(n=300, classes=4)
    chosen = records.predictions.argmax(axis=1)
    expected = sk.precision_recall_fscore_support(records.targets, chosen)
    table, matrix = per_class(reported(records)).blocks
    values = {row[0]: [float(cell.split()[0]) for cell in row[3:]] for row in table.rows}
    for i in range(4):
        assert values[f"class {i}"] == pytest.approx([expected[k][i] for k in range(3)], abs=6e-4)
    f1 = [float(row[-1].split()[0]) for row in table.rows]
    assert f1 == sorted(f1)
    hits = int((chosen[records.targets == 0] == 0).sum())
    low, high = binomtest(hits, int((records.targets == 0).sum())).proportion_ci(0.95, "wilson")
    row = next(row for row in table.rows if row[0] == "class 0")
    assert row[4].endswith(f"[{low:.3f}–{high:.3f}]")
    cells = [[0 if cell == "·" else int(cell) for cell in row[1:]] for row in matrix.rows]
    np.testing.assert_array_equal(cells, sk.confusion_matrix(records.targets, chosen))


def test_many_classes_and_several_labels_have_no_matrix():
    many = from_classes(np.arange(42) % 21, np.arange(42) % 21, classes=21)
    for records in (many, multi_label()):
        assert len(per_class(reported(records)).blocks) == 1


def test_numbers_have_their_metrics_and_a_chart():
    records = regression(n=600)
    table, charts, note = per_class(reported(records, best="loss")).blocks
    assert isinstance(table, DataTable) and isinstance(charts, Gallery) and isinstance(note, Paragraph)
    errors = np.abs(records.predictions - records.targets).mean(axis=0)
    assert [float(row[1]) for row in table.rows] == pytest.approx(errors, abs=6e-4)
    points = charts.items[1].series[0]
    assert len(points.x) == 500 and set(points.x) <= set(records.targets[:, 1])
