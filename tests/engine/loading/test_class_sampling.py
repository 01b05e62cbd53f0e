"""Samplers: how much of an epoch each class has, which samples come when, and how they are augmented."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftaug.components.samplers import balanced, square_root
from ftaug.engine.loading.batches import EpochSampler
from ftaug.engine.loading.class_sampling import Resampling, _apportioned
from ftaug.engine.loading.split import load_splits
from ftaug.engine.loading.token_budget import TokenBudget
from ftaug.engine.training.build import build
from ftaug.engine.training.fit import Progress, fit
from ftaug.experiment_file import load

TARGETS = np.repeat([0, 1, 2], [4, 25, 91])
COUNTS = np.bincount(TARGETS)


def resampling(share=balanced, seed=0, targets=TARGETS):
    counts = np.bincount(targets)
    return Resampling(seed, targets, _apportioned(share(counts), len(targets)))


def pairs(positions, rounds):
    return list(zip(positions.tolist(), rounds.tolist(), strict=True))


def epochs(**settings):
    return EpochSampler(3, len(TARGETS), 8, 1, resampling=resampling(), **settings)


def test_shares_are_those_of_the_definitions():
    assert resampling().quotas.tolist() == [40, 40, 40]
    roots = np.sqrt(COUNTS) / np.sqrt(COUNTS).sum()
    np.testing.assert_allclose(resampling(square_root).quotas / len(TARGETS), roots, atol=1 / len(TARGETS))


@given(counts=st.lists(st.integers(1, 40), min_size=2, max_size=6), epoch=st.integers(0, 5), seed=st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_an_epoch_keeps_its_length_and_has_each_class_as_often_as_said(counts, epoch, seed):
    targets = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    made = resampling(square_root, seed, targets)
    positions, rounds = made.visits(epoch)
    assert len(positions) == len(rounds) == len(targets)
    assert np.bincount(targets[positions], minlength=len(counts)).tolist() == made.quotas.tolist()
    again = made.visits(epoch)
    assert np.array_equal(positions, again[0]) and np.array_equal(rounds, again[1])


def test_all_samples_of_a_class_come_as_often_give_or_take_one():
    visits = Counter()
    for epoch in range(7):
        visits.update(resampling().visits(epoch)[0].tolist())
        for code in range(3):
            of_class = [visits[i] for i in np.flatnonzero(code == TARGETS).tolist()]
            assert max(of_class) - min(of_class) <= 1


def test_a_sample_never_comes_twice_in_the_same_round():
    seen = [pair for epoch in range(6) for pair in pairs(*resampling().visits(epoch))]
    assert len(set(seen)) == len(seen)


def test_epochs_differ_and_so_do_seeds():
    orders = {resampling(seed=seed).visits(epoch)[0].tobytes() for seed in (0, 1) for epoch in (0, 1)}
    assert len(orders) == 4


def test_requests_are_the_same_from_any_start_and_parts_keep_the_rounds_of_their_samples():
    sizes = np.arange(len(TARGETS)) % 17
    made = epochs(sizes=sizes, bucket=4, token_budget=TokenBudget(60, 20))
    whole = list(made.requests(0, 2 * made.steps))
    late = list(made.requests(made.steps + 3, 2 * made.steps))
    for one, other in zip(whole[-len(late) :], late, strict=True):
        assert np.array_equal(one.ids, other.ids) and np.array_equal(one.rounds, other.rounds)
    for epoch in range(2):
        mine = [pair for request in whole if request.epoch == epoch for pair in pairs(request.ids, request.rounds)]
        assert Counter(mine) == Counter(pairs(*made.resampling.visits(epoch)))


def test_without_a_sampler_every_sample_comes_once():
    plain = EpochSampler(3, 50, 8, 1)
    ids = np.concatenate([request.ids for request in plain.requests(0, plain.steps)])
    assert sorted(ids.tolist()) == list(range(50))
    assert all(request.rounds is None for request in plain.requests(0, plain.steps))


@pytest.fixture
def state(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(
        "data: {train: digits, val: null, batch_size: 64, workers: 0, sampler: balanced}\n"
        "backbone: {resnet20: {weights: none}}\naugment: [rotate]\ntrain: {epochs: 1, precision: fp32}\n"
    )
    experiment = load(file)
    found = load_splits(experiment.data, 0)
    train = found["train"]
    few = np.concatenate([np.flatnonzero(train.targets == 0)[:3], np.flatnonzero(train.targets == 1)[:21]])
    train = type(train)("train", train.samples, train.ids[few], train.targets[few], train.task)
    return build(experiment, "cpu", {"train": train}, pretrained=False)


def test_a_sample_that_comes_twice_is_augmented_in_two_ways(state):
    data = state.prepared("train")
    (request,) = state.epochs.requests(0, 1)
    batch = data[request]
    rare = [place for place, position in enumerate(request.ids) if position == 0]
    assert len(rare) == 4
    assert len({batch.inputs[place].numpy().tobytes() for place in rare}) == 4


def test_the_loss_is_told_how_often_classes_are_seen_and_training_goes_on(state):
    assert state.counts.tolist() == [12, 12] + [0] * 8
    (step,) = list(fit(state, Progress()))
    assert step.samples == 24
