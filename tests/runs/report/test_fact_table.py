"""Distributions of facts: quantiles as numpy has them, and counts of few values."""

import numpy as np
import pytest

from ftaug.runs.report.fact_table import distribution, table


def test_numbers_have_quantiles_and_few_of_them_counts():
    many = distribution([float(number) for number in range(101)])
    assert many == {"lowest": 0, "10 %": 10, "median": 50, "90 %": 90, "highest": 100}
    rates = distribution([16_000.0, 8000.0, 16_000.0])
    assert rates["median"] == np.median([16_000, 8000, 16_000])
    assert rates["counts"] == {"16000": 2, "8000": 1}


@pytest.mark.parametrize("count", [2, 6])
def test_words_are_counted(count):
    facts = {"script": distribution(["latin", "latin", *(f"s{number}" for number in range(count - 1))])}
    assert facts["script"]["counts"]["latin"] == 2 and "median" not in facts["script"]
    cells = list(table(facts).columns[-1].cells)
    assert cells == ["latin: 2, s0: 1" if count == 2 else "latin: 2, s0: 1, s1: 1, s2: 1, …"]
