from predictions import single_label
from reported_runs import reported

from ftaug.runs.run_report.slices import slices

ROW = {
    "column": "camera",
    "slice": "old",
    "samples": 1040,
    "value": 0.7,
    "low": 0.6,
    "high": 0.8,
    "shrunken": -0.1234,
    "adjusted_p": 0.002,
}


def test_the_worst_slices_are_those_of_the_evaluation():
    facts = {"metric": "accuracy", "worst": [ROW] * 40, "notes": ["camera: a note"]}
    section = slices(reported(single_label(), slices=facts))
    table, note = section.blocks
    assert table.rows[0] == ("camera: old", "1,040", "0.700 [0.600–0.800]", "-0.123", "0.0020")
    assert len(table.rows) == 30 and note.text == "camera: a note."
    assert section.facts == facts


def test_without_slices_there_is_no_section():
    assert slices(reported(single_label())) is None
    assert slices(reported(single_label(), slices={"metric": "accuracy", "worst": [], "notes": []})) is None
