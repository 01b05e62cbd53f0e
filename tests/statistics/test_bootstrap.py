import numpy as np
import pytest
from predictions import multi_label, single_label
from scipy import stats

from ftaug.statistics import bootstrap


def all_weights(records, draws=500, seed=0):
    return np.concatenate(list(bootstrap.bootstrap_weights(bootstrap.sampling(records), draws, seed)), axis=1)


def test_draws_keep_the_size_of_every_class():
    records = single_label(n=97, classes=4)
    weights = all_weights(records)
    assert weights.shape == (97, 500)
    for c in range(4):
        rows = records.targets == c
        assert (weights[rows].sum(axis=0) == rows.sum()).all()
        assert weights[rows].var() == pytest.approx(1 - 1 / rows.sum(), rel=0.05)  # multinomial counts
        assert weights[rows].mean(axis=1) == pytest.approx(1, abs=0.25)


def test_classes_of_one_sample_are_drawn_together():
    records = single_label(n=6, classes=6)
    records = type(records)(records.task, records.predictions, np.array([0, 1, 2, 3, 3, 3]))
    weights = all_weights(records)
    assert (weights[:3].sum(axis=0) == 3).all() and (weights[:3] == 0).any(axis=1).all()


def test_groups_are_drawn_whole():
    groups = np.array(["b", "a", "b", "c", "a", "b"])
    weights = all_weights(single_label(n=6, groups=groups))
    for group in "abc":
        assert (weights[groups == group] == weights[groups == group][0]).all()
    assert (np.stack([weights[groups == g][0] for g in "abc"]).sum(axis=0) == 3).all()


def test_blocks_do_not_change_the_number_of_draws(monkeypatch):
    monkeypatch.setattr(bootstrap, "BLOCK", 97 * 30)
    blocks = list(bootstrap.bootstrap_weights(bootstrap.sampling(multi_label(n=97)), 100, 0))
    assert [block.shape for block in blocks] == [(97, 30)] * 3 + [(97, 10)]


def test_equal_seeds_give_equal_draws():
    records = single_label()
    assert (all_weights(records, seed=3) == all_weights(records, seed=3)).all()
    assert (all_weights(records, seed=3) != all_weights(records, seed=4)).any()


def test_the_interval_of_a_mean_is_students():
    """Of 12 samples the plain percentile interval is too narrow by the factor √(11/12) · 1.96 / 2.20."""
    records = multi_label(n=12)
    values = np.random.default_rng(0).normal(size=12)
    means = values @ all_weights(records, draws=100_000) / 12
    low, high = bootstrap.percentile_interval(means, bootstrap.sampling(records))
    expected = stats.t(11, values.mean(), values.std(ddof=1) / np.sqrt(12)).interval(0.95)
    assert high - low == pytest.approx(expected[1] - expected[0], rel=0.03)


def test_one_unit_has_no_interval():
    design = bootstrap.sampling(single_label(n=5, groups=np.zeros(5, int)))
    assert np.isnan(bootstrap.percentile_interval(np.array([0.5, 0.5]), design)).all()
