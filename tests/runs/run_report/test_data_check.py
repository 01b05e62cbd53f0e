from dataclasses import replace

from predictions import single_label
from reported_runs import reported

from ftaug.runs.run_report import data_check
from ftaug.runs.trained_model import load_experiment


def opened(folder):
    return replace(reported(single_label(), folder), load_experiment=lambda: load_experiment(folder))


def test_all_samples_are_compared(trained):
    section = data_check.data_check(opened(trained))
    assert section.facts["checked"]
    (copy,) = [each for each in section.facts["findings"] if each["check"] == "exact_duplicates"]
    assert (copy["level"], copy["samples"]) == ("caution", 1) and "in train" in copy["text"]
    rows = section.blocks[0].rows
    assert len(rows) == len(section.facts["findings"])
    assert any(row[0] == "caution" and "copy.png" in row[3] for row in rows)


def test_many_samples_are_left_to_doctor(trained, monkeypatch):
    monkeypatch.setattr(data_check, "MOST", 42)
    section = data_check.data_check(opened(trained))
    assert section.facts == {"checked": False, "findings": []}
    assert section.blocks[0].text == (
        f"The 43 samples were not checked for duplicates; check them: ftaug doctor {trained}"
    )


def test_data_without_findings_are_said_to_have_none(trained, monkeypatch):
    monkeypatch.setattr(data_check, "examine", lambda *a, **b: type("D", (), {"findings": []}))
    assert data_check.data_check(opened(trained)).blocks[0].text.startswith("No duplicates")
