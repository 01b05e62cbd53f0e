import json

import pytest
from predictions import single_label
from reported_runs import evaluations, reported

from ftaug.errors import BadData
from ftaug.runs.run_report.training_course import training_course

RECORDS = single_label(n=30)


def test_curves_have_the_rows_of_the_log(tmp_path):
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "moved.json").write_text(json.dumps([{"stage": "head", "change": 0.5}]))
    section = training_course(reported(RECORDS, tmp_path, rows=evaluations([0.5, 0.75])))
    losses, metrics, rate, changes = section.blocks[0].items
    assert [series.name for series in losses.series] == ["train", "validation"]
    assert (losses.series[0].y, losses.series[1].y) == ([2.0, 1.0], [1.0, 0.5])
    assert metrics.series[0].name == "accuracy 0.750" and metrics.series[0].x == [1, 2]
    assert rate.series[0].y == [0.1, 0.05]
    assert changes.rows == [("head", 0.5, "50.00%")]
    assert section.facts["evaluations"][1] == {"epoch": 2, "step": 20, "loss": 0.5, "accuracy": 0.75}


def test_long_curves_are_averaged():
    section = training_course(reported(RECORDS, rows=evaluations([0.5] * 1000, losses=[float(i) for i in range(1000)])))
    train = section.blocks[0].items[0].series[0]
    assert len(train.y) == 150 and train.y[0] == 6.0 and train.x[0] == 4.0  # of the first 7 rows


def test_runs_without_validation_and_folds():
    rows = [row for row in evaluations([0.5, 0.6]) if "loss" in row]
    charts = training_course(reported(RECORDS, rows=rows)).blocks[0].items
    assert [chart.title for chart in charts] == ["loss", "learning rate"]
    assert training_course(reported(RECORDS)) is None


@pytest.mark.parametrize("text", ["", "{", "3", "[3]", '[{"stage": "head"}]', '[{"stage": "head", "change": "much"}]'])
def test_damaged_weight_changes_are_bad_data(tmp_path, text):
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "moved.json").write_text(text)
    with pytest.raises(BadData, match=r"report/moved\.json: is damaged; delete it"):
        training_course(reported(RECORDS, tmp_path, rows=evaluations([0.5, 0.75])))
