from predictions import single_label
from reported_runs import reported

from ftaug.runs.run_report.corruptions import corruptions


def value(number):
    return {"value": number, "low": number - 0.1, "high": number + 0.1}


FACTS = {
    "metric": "accuracy",
    "clean": value(0.9),
    "mean": value(0.6),
    "categories": {"weather": value(0.6)},
    "corruptions": [
        {"corruption": "fog", "levels": [value(0.8), value(0.4)], "trained_on": ["fog"], **value(0.6)},
        {"corruption": "case", "levels": [value(0.7)], "trained_on": [], **value(0.7)},
    ],
}


def test_every_level_and_category_has_its_value():
    by_category, by_level, note = corruptions(reported(single_label(), corruptions=FACTS)).blocks
    assert by_category.rows[0] == ("without corruption", "0.900 [0.800–1.000]")
    assert by_level.headings == ("corruption", "1", "2", "accuracy, 95 %")
    assert [row[:3] for row in by_level.rows] == [("fog *", "0.800", "0.400"), ("case", "0.700", "")]
    assert note.text.startswith("* ")


def test_without_corruptions_there_is_no_section():
    assert corruptions(reported(single_label())) is None
