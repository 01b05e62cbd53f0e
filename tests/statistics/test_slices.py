import math

import numpy as np
import pytest
from scipy import stats

from ftaug.statistics.slices import as_column, binned, column_note, worst_slices


def losses_and_columns(seed=0, n=2000):
    rng = np.random.default_rng(seed)
    columns = {
        "camera": rng.choice(["a", "b", "c"], n),
        "brightness": rng.random(n),
        "night": rng.random(n) < 0.1,
    }
    worse = (columns["camera"] == "b") & ~columns["night"]
    return (rng.random(n) < np.where(worse, 0.35, 0.1)).astype(float), columns


def test_the_planted_slice_is_first():
    losses, columns = losses_and_columns()
    first, *others = worst_slices(columns, losses)
    assert (first.column, first.value) == ("camera", "b")
    rows = columns["camera"] == "b"
    assert first.samples == rows.sum() and first.mean == losses[rows].mean()
    assert first.difference == pytest.approx(losses[rows].mean() - losses[~rows].mean())
    assert first.p == pytest.approx(stats.ttest_ind(losses[rows], losses[~rows], equal_var=False).pvalue, rel=1e-6)
    assert first.adjusted_p < 1e-6 and first.adjusted_p == pytest.approx(first.p * (1 + len(others)))
    assert 0.8 * first.difference < first.shrunken < first.difference
    assert all(abs(s.shrunken) <= abs(s.difference) for s in others)


def test_nothing_is_significant_where_nothing_is_planted():
    """Over 200 data sets of 13 slices each, in at most 5 % and 3 standard errors is one significant."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        columns = {
            "one": rng.choice(list("abcde"), 400),
            "two": rng.random(400),
            "three": rng.choice(["x", "y", "z"], 400),
        }
        slices = worst_slices(columns, rng.exponential(size=400))
        assert len(slices) == 13
        hits += any(s.adjusted_p < 0.05 for s in slices)
    assert hits / 200 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


def test_shrinking_brings_differences_nearer_to_the_true_ones():
    raw, shrunken = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        values, true = rng.integers(0, 25, 3000), rng.normal(0, 0.1, 25)
        for s in worst_slices({"site": values.astype(str)}, 1 + true[values] + rng.normal(size=3000)):
            effect = true[int(s.value)] - np.delete(true, int(s.value)).mean()
            raw.append(s.difference - effect)
            shrunken.append(s.shrunken - effect)
    assert np.square(shrunken).mean() < 0.75 * np.square(raw).mean()


def test_small_slices_are_left_out():
    losses = np.random.default_rng(0).random(100)
    column = np.array(["a"] * 29 + ["b"] * 71)
    assert worst_slices({"x": column}, losses) == []  # of b, the rest is too small
    assert len(worst_slices({"x": np.array(["a"] * 30 + ["b"] * 70)}, losses)) == 2
    assert worst_slices({}, losses) == []


def test_a_slice_that_is_all_wrong_is_found():
    losses = np.r_[np.ones(30), np.zeros(300)]
    worst = worst_slices({"x": np.array(["bad"] * 30 + ["good"] * 300)}, losses)[0]
    assert worst.value == "bad" and worst.adjusted_p < 1e-3


def test_equal_losses_have_no_worst_slice():
    slices = worst_slices({"x": np.array(["a", "b"] * 50)}, np.full(100, 0.5))
    assert [(s.shrunken, s.adjusted_p) for s in slices] == [(0, 1), (0, 1)]


def test_numbers_are_binned_in_ranges_of_equally_many():
    names = binned(np.r_[np.arange(10_000.0), np.nan])
    distinct, counts = np.unique(names.astype(str), return_counts=True)
    assert "missing" in distinct and len(distinct) == 6
    assert sorted(counts)[1:] == [2000] * 5
    assert names[0] == "0 to 2000" and names[9999] == "7999 to 9999"


def test_few_distinct_numbers_are_kept():
    assert list(binned(np.array([1.0, 2.5, np.nan, 1.0]))) == ["1", "2.5", "missing", "1"]


def test_groups_make_the_test_that_of_groups():
    """40 patients of 20 equal samples each: the p-value is that of 40 numbers, not of 800."""
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(40), 20)
    of_patient = rng.normal(size=40)
    site = np.where(patients < 20, "a", "b")
    naive = worst_slices({"site": site}, of_patient[patients])[0]
    grouped = worst_slices({"site": site}, of_patient[patients], patients)[0]
    between = stats.ttest_ind(of_patient[:20], of_patient[20:])
    assert naive.p < 1e-3 < grouped.p
    assert grouped.p == pytest.approx(between.pvalue, abs=0.02)
    assert abs(grouped.difference) == pytest.approx(abs(naive.difference))


def test_nothing_is_significant_in_groups_where_nothing_is_planted():
    """Half of the variance is between groups: the test that ignores them is wrong most of the time."""
    hits = {"groups": 0, "no groups": 0}
    for seed in range(200):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(40), 15)
        losses = (rng.normal(size=40)[groups] + rng.normal(size=600)) / math.sqrt(2)
        columns = {"site": rng.choice(list("ab"), 40)[groups], "device": rng.choice(list("xyz"), 600)}
        hits["groups"] += any(s.adjusted_p < 0.05 for s in worst_slices(columns, losses, groups))
        hits["no groups"] += any(s.adjusted_p < 0.05 for s in worst_slices(columns, losses))
    assert hits["groups"] / 200 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)
    assert hits["no groups"] / 200 > 0.3


def test_a_slice_of_few_groups_is_left_out():
    groups = np.r_[np.repeat(np.arange(5), 20), np.repeat(np.arange(5, 45), 5)]
    column = {"site": np.where(groups < 5, "few", "many")}
    losses = np.random.default_rng(0).random(300)
    assert len(worst_slices(column, losses)) == 2
    assert worst_slices(column, losses, groups) == []


def test_cells_are_numbers_if_all_are():
    assert as_column(["1", "", "2.5"]) == pytest.approx([1, math.nan, 2.5], nan_ok=True)
    assert as_column([3, 1.5]).tolist() == [3.0, 1.5]
    assert as_column(["1", "", "x"]).tolist() == ["1", "missing", "x"]
    assert as_column(["", ""]).tolist() == ["missing", "missing"]
    assert as_column(["1", "inf"]).tolist() == ["1", "inf"]


def test_columns_of_many_values_say_what_becomes_of_them():
    assert column_note(np.arange(10_000.0)) == "10,000 different numbers, in 5 ranges of equally many samples"
    assert column_note(np.array(["a"] * 30 + ["b"] * 30)) == ""
    assert column_note(np.arange(20.0).repeat(3)) == ""
    names = np.array([f"patient {i}" for i in range(10_000)])
    assert column_note(names) == "left out, since none of its 10,000 values has 30 samples"
    assert column_note(np.r_[names[:10], ["x"] * 40]) == (
        "10 of its 11 values have fewer than 30 samples and are left out"
    )


def test_ranges_have_as_many_digits_as_they_need():
    names = np.unique(binned(np.linspace(0.33251, 0.33259, 100)).astype(str))
    assert names[0] == "0.33251 to 0.33253" and len(names) == 5
    assert np.unique(binned(np.linspace(0, 1, 101)).astype(str))[0] == "0 to 0.2"
