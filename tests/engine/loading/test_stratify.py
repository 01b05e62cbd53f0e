"""Splits: stratified like scikit-learn's, whole groups, the same for a seed and for most samples when others come."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold, StratifiedShuffleSplit

from ftaug.engine.loading import stratify
from ftaug.engine.loading.sample_keys import identities
from ftaug.errors import BadData


def split(targets, groups, size, seed, keys=None):
    keys = names(len(targets)) if keys is None else keys
    return stratify.split(targets, groups, size, identities(keys, groups), seed)


def folds(targets, groups, count, seed, keys=None):
    keys = names(len(targets)) if keys is None else keys
    return stratify.folds(targets, groups, count, identities(keys, groups), seed)


def names(count):
    return [f"{index:06}.png" for index in range(count)]


def test_the_same_seed_gives_the_same_split_and_another_gives_another():
    targets = np.arange(500) % 7
    first, again, other = (split(targets, None, 0.2, seed)[1] for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@given(
    counts=st.lists(st.integers(2, 60), min_size=2, max_size=12),
    share=st.floats(0.05, 0.9),
    seed=st.integers(0, 9),
)
@settings(max_examples=150, deadline=None)
def test_parts_are_a_partition_and_every_class_is_on_both_sides(counts, share, seed):
    targets = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    train, held = split(targets, None, share, seed)
    assert np.array_equal(np.sort(np.concatenate([train, held])), np.arange(len(targets)))
    assert np.all(np.diff(train) > 0) and np.all(np.diff(held) > 0)
    assert set(targets[train]) == set(targets[held]) == set(range(len(counts)))
    wanted = int(np.clip(round(share * len(targets)), len(counts), len(targets) - len(counts)))
    assert len(held) == wanted


@pytest.mark.parametrize("size", [40, 200, 0.25])
def test_class_counts_are_those_of_sklearn_within_one(size):
    rng = np.random.default_rng(0)
    targets = rng.choice(6, size=800, p=[0.4, 0.25, 0.15, 0.1, 0.06, 0.04])
    held = split(targets, None, size, 0)[1]
    oracle = next(StratifiedShuffleSplit(1, test_size=size, random_state=0).split(targets, targets))[1]
    assert len(held) == len(oracle)
    assert np.abs(np.bincount(targets[held]) - np.bincount(targets[oracle])).max() <= 1


def test_members_of_a_class_are_chosen_evenly():
    targets = np.repeat([0, 1], 20)
    chosen = np.bincount(np.concatenate([split(targets, None, 0.25, seed)[1] for seed in range(400)]), minlength=40)
    assert chosen.min() > 60 and chosen.max() < 140  # 100 expected, about nine deviations wide


def test_a_class_with_one_sample_stays_and_is_told():
    targets = np.array([0] * 10 + [1] + [2] * 10)
    train, held = split(targets, None, 0.2, 0)
    assert 10 in train
    assert np.setdiff1d(targets, targets[held]).tolist() == [1]


def test_a_share_too_small_for_all_classes_is_raised_to_one_each():
    assert len(split(np.repeat(np.arange(10), 2), None, 0.1, 0)[1]) == 10


@pytest.mark.parametrize("size", [20, 25, 3, 18, 1.0])
def test_impossible_sizes_are_refused(size):
    with pytest.raises(BadData, match="cannot hold out"):
        split(np.repeat(np.arange(4), 5), None, size, 0)


def test_groups_stay_whole_and_classes_stay_near_their_share():
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 300, 3000) * 10**12
    targets = (groups // 10**12 + rng.integers(0, 2, 3000)) % 5
    train, held = split(targets, groups, 0.2, 0)
    assert not set(groups[train]) & set(groups[held])
    assert len(train) + len(held) == 3000
    assert np.abs(np.bincount(targets[held]) / np.bincount(targets) - 0.2).max() < 0.03


def test_two_groups_of_a_class_are_parted():
    targets = np.repeat(np.arange(6), 20)
    train, held = split(targets, np.arange(120) // 10, 0.2, 0)
    assert set(targets[train]) == set(targets[held]) == set(range(6))


@pytest.mark.parametrize("seed", range(8))
def test_groups_of_very_different_sizes_leave_no_side_and_no_fold_empty(seed):
    groups = np.repeat(np.arange(6), [100, 1, 1, 1, 30, 2])
    for targets in (np.zeros(135, int), np.arange(135.0)[:, None], groups % 3):
        assert set(folds(targets, groups, 6, seed)) == set(range(6))
        assert 0 < len(split(targets, groups, 0.1, seed)[1]) < 135


def test_a_single_group_cannot_be_parted():
    with pytest.raises(BadData, match="groups"):
        split(np.arange(20) % 2, np.zeros(20, np.int64), 0.2, 0)


def test_every_label_of_multi_label_targets_stays_near_its_share():
    rng = np.random.default_rng(2)
    targets = (rng.random((2000, 12)) < np.geomspace(0.004, 0.5, 12)).astype(np.uint8)
    train, held = split(targets, None, 0.2, 0)
    shares = targets[held].sum(0) / targets.sum(0)
    assert np.abs(shares - 0.2).max() < 0.08 and np.abs(shares[6:] - 0.2).max() < 0.02
    assert abs(len(held) - 400) <= 15
    assert set(train).isdisjoint(held)
    shuffled = rng.permutation(2000)[:400]
    random_error = np.abs(targets[shuffled].sum(0) / targets.sum(0) - 0.2).mean()
    assert np.abs(shares - 0.2).mean() < random_error


def test_multi_label_groups_stay_whole():
    rng = np.random.default_rng(3)
    targets = (rng.random((600, 5)) < 0.3).astype(np.uint8)
    groups = rng.integers(0, 80, 600)
    train, held = split(targets, groups, 100, 0)
    assert not set(groups[train]) & set(groups[held])
    assert abs(len(held) - 100) < 40
    assert targets[held].any(axis=0)[targets.any(axis=0)].all()


@given(
    values=st.lists(st.floats(-1e3, 1e3, width=32), min_size=3, max_size=200),
    share=st.floats(0.05, 0.9),
    seed=st.integers(0, 9),
)
@settings(max_examples=100, deadline=None)
def test_numbers_are_parted_exactly_and_any_number_of_them_can_be(values, share, seed):
    targets = np.array(values, np.float32)[:, None]
    train, held = split(targets, None, share, seed)
    assert np.array_equal(np.sort(np.concatenate([train, held])), np.arange(len(values)))
    assert len(held) == min(max(round(share * len(values)), 1), len(values) - 1)


@pytest.mark.parametrize("of", ["lognormal", "negative", "far from zero", "whole"])
def test_every_tenth_of_the_order_of_numbers_is_on_both_sides_in_about_the_same_share(of):
    rng = np.random.default_rng(0)
    numbers = {
        "lognormal": rng.lognormal(0, 2, (500, 2)),
        "negative": -rng.lognormal(0, 2, (500, 2)),
        "far from zero": 1e6 + rng.normal(size=(500, 2)),
        "whole": rng.permutation(500)[:, None].astype(float),
    }[of]
    tenth = np.argsort(np.argsort(numbers[:, 0])) // 50
    held = [np.bincount(tenth[split(numbers, None, 100, seed)[1]], minlength=10) for seed in range(20)]
    assert np.max(np.abs(np.array(held) - 10)) <= 5  # up to 9 where each is held out by chance
    assert np.std(held) < 1.6  # 2.8 by chance


def test_a_number_that_few_samples_are_near_is_held_out_as_often_as_others():
    numbers = np.append(np.linspace(1, 2, 99), 1000.0)[:, None]
    times = sum(99 in split(numbers, None, 20, seed)[1] for seed in range(400))
    assert 50 < times < 115  # 80 expected, 8 the deviation


def test_groups_of_numbers_stay_whole():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 60, 600)
    targets = (groups + rng.normal(size=600)).astype(np.float32)[:, None]
    train, held = split(targets, groups, 0.2, 0)
    assert not set(groups[train]) & set(groups[held])
    assert abs(targets[held].mean() - targets.mean()) < 0.35 * targets.std()


@given(
    counts=st.lists(st.integers(2, 40), min_size=2, max_size=8),
    count=st.integers(2, 7),
    seed=st.integers(0, 9),
)
@settings(max_examples=100, deadline=None)
def test_folds_are_as_even_as_those_of_sklearn(counts, count, seed):
    targets = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    if len(targets) < count:
        return
    found = folds(targets, None, count, seed)
    assert np.ptp(np.bincount(found, minlength=count)) <= 1
    for code in range(len(counts)):
        assert np.ptp(np.bincount(found[targets == code], minlength=count)) <= 1
    if min(counts) >= count:
        oracle = StratifiedKFold(count, shuffle=True, random_state=0).split(targets, targets)
        sizes = sorted(len(held) for _, held in oracle)
        assert sorted(np.bincount(found)) == sizes


def test_folds_follow_the_seed_alone():
    targets = np.arange(300) % 4
    first, again, other = (folds(targets, None, 5, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_folds_keep_groups_whole_and_classes_near_their_share():
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 200, 3000)
    targets = (groups + rng.integers(0, 2, 3000)) % 5
    found = folds(targets, groups, 5, 0)
    assert all(len(np.unique(found[groups == group])) == 1 for group in np.unique(groups))
    for fold in range(5):
        assert np.abs(np.bincount(targets[found == fold]) / np.bincount(targets) - 0.2).max() < 0.05


def test_folds_of_several_labels_and_of_numbers_are_even():
    rng = np.random.default_rng(0)
    labels = (rng.random((600, 4)) < [0.5, 0.2, 0.1, 0.03]).astype(np.uint8)
    found = folds(labels, None, 4, 0)
    assert np.bincount(found).min() >= 135
    for fold in range(4):
        assert np.abs(labels[found == fold].sum(0) / labels.sum(0) - 0.25).max() < 0.1
    numbers = rng.normal(size=(400, 1))
    found = folds(numbers, None, 5, 0)
    means = [numbers[found == fold].mean() for fold in range(5)]
    assert np.bincount(found).tolist() == [80] * 5 and np.ptp(means) < 0.15  # 0.26 on average by chance


@pytest.mark.parametrize(
    ("targets", "groups", "message"),
    [
        (np.arange(3), None, "cannot make 5 folds of 3 samples"),
        (np.zeros(20, np.int64), np.arange(20) % 4, "cannot make 5 folds of 4 groups"),
    ],
)
def test_too_many_folds_are_refused(targets, groups, message):
    with pytest.raises(BadData, match=message):
        folds(targets, groups, 5, 0)


def moved(before, after, common):
    """How many samples that are in both are not in the same part any more."""
    return sum(before[key] != after[key] for key in common)


def parts(make, keys, targets, groups, rng=None):
    """The part of each key, its row wherever `rng` puts it."""
    order = np.arange(len(keys)) if rng is None else rng.permutation(len(keys))
    keys = [keys[row] for row in order]
    groups = None if groups is None else groups[order]
    return dict(zip(keys, make(targets[order], groups, identities(keys, groups)).tolist(), strict=True))


def held_out(size):
    def make(targets, groups, words):
        held = stratify.split(targets, groups, size, words, 7)[1]
        return np.isin(np.arange(len(targets)), held)

    return make


def in_folds(targets, groups, words):
    return stratify.folds(targets, groups, 5, words, 7)


def classes(rng):
    return rng.choice(5, 501, p=[0.4, 0.3, 0.15, 0.1, 0.05]), None


def several_labels(rng):
    return (rng.random((501, 8)) < np.geomspace(0.01, 0.5, 8)).astype(np.uint8), None


def numbers(rng):
    return rng.lognormal(0, 2, (501, 1)), None


def groups_of_five(rng):
    groups = rng.integers(0, 100, 501)
    return groups % 7, groups


@pytest.mark.parametrize(
    ("data", "make", "most", "mean"),
    [
        (classes, held_out(0.2), 2, 0.6),
        (classes, held_out(100), 3, 1.2),
        (classes, in_folds, 14, 5),
        (several_labels, held_out(0.2), 6, 1.2),
        (several_labels, in_folds, 20, 5),
        (numbers, held_out(0.2), 8, 1.2),
        (numbers, in_folds, 20, 5),
        (groups_of_five, held_out(0.2), 40, 3),
        (groups_of_five, in_folds, 80, 12),
    ],
)
def test_a_sample_more_or_less_moves_few_others(data, make, most, mean):
    """A random choice moves 160 of 500 samples between two sides at 20 %, and 400 between five folds."""
    counts = []
    for trial in range(60):
        rng = np.random.default_rng(trial)
        targets, groups = data(rng)
        keys = names(501)
        without = np.delete(np.arange(501), rng.integers(501))
        before = parts(
            make, [keys[row] for row in without], targets[without], None if groups is None else groups[without]
        )
        counts.append(moved(before, parts(make, keys, targets, groups, rng), before))
    assert max(counts) <= most and np.mean(counts) <= mean


@pytest.mark.parametrize("data", [classes, several_labels, numbers, groups_of_five])
@pytest.mark.parametrize("make", [held_out(0.3), in_folds])
def test_the_order_of_rows_and_the_numbers_of_groups_mean_nothing(data, make):
    targets, groups = data(np.random.default_rng(0))
    first = parts(make, names(501), targets, groups)
    renumbered = None if groups is None else (groups * 37) % 101
    assert first == parts(make, names(501), targets, renumbered, np.random.default_rng(1))


def test_a_class_whose_folder_is_renamed_draws_its_samples_anew_and_no_others():
    targets = np.arange(500) % 5
    keys = [f"{'abcde'[row % 5]}/{row}.png" for row in range(500)]
    renamed = [key.replace("c/", "see/") for key in keys]
    before, after = (split(targets, None, 0.2, 0, names)[1] for names in (keys, renamed))
    assert set(targets[list({*before} ^ {*after})]) == {2}
