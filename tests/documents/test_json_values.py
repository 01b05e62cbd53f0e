from documents import report

from ftaug.documents.json_values import json_values


def test_a_report_has_its_facts_by_section():
    assert json_values(report("a")) == {
        "title": "a",
        "verdict": "a",
        "run": "a",
        "alerts": [{"key": "key", "message": "a", "advice": "a"}],
        "sections": {"all": {"name": "a"}},
    }
