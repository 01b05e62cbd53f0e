import numpy as np
import pytest
from predictions import multi_label, regression, single_label
from reported_runs import reported

from ftaug.interfaces.document import DataTable, Paragraph
from ftaug.runs.run_report.reliability import reliability_section


@pytest.mark.parametrize("records", [single_label(n=400), multi_label(n=400)], ids=["one label", "several labels"])
def test_the_most_confident_predictions_have_their_errors(records):
    section = reliability_section(reported(records))
    (table,) = [block for block in section.blocks if isinstance(block, DataTable)]
    p, wrong = records.predictions, ~records.correct
    confidence = np.where(p > 0.5, p, 1 - p).prod(axis=1) if records.task.multi_label else p.max(axis=1)
    half = np.argsort(-confidence)[:200]
    assert table.rows[0][2] == f"{wrong.sum():,}" and table.rows[-1][:3] == ("50%", "200", f"{wrong[half].sum()}")
    diagram, risk = section.blocks[0].items
    assert len(diagram.series[0].x) == len(section.facts["reliability"])
    assert risk.series[0].y[-1] == pytest.approx(wrong.mean(), abs=1e-6)


def test_groups_are_a_note_and_numbers_have_no_section():
    grouped = single_label(n=100, groups=np.arange(100) // 5)
    texts = [block.text for block in reliability_section(reported(grouped)).blocks if isinstance(block, Paragraph)]
    assert any("Samples of a group" in text for text in texts)
    assert reliability_section(reported(regression(), best="loss")) is None
