import pytest

from ftaug.runs.run_report.formats import estimate, number, samples


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.94321, "0.943"),
        (1234567.0, "1.235e+06"),
        (1234.4, "1,234"),
        (-0.5, "-0.500"),
        (float("nan"), "–"),
        (None, "–"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_estimates_have_their_interval():
    assert estimate({"value": 0.943, "low": 0.921, "high": 0.959}) == "0.943 [0.921–0.959]"
    assert estimate({"value": 0.1, "low": -0.2, "high": 0.4}) == "0.100 [-0.200 to 0.400]"
    assert estimate({"value": 0.5}) == "0.500"
    assert estimate({"value": None, "low": None, "high": None}) == "–"


def test_numbers_of_samples():
    assert [samples(1), samples(1, "val"), samples(2000, "test")] == [
        "1 sample",
        "1 validation sample",
        "2,000 test samples",
    ]
