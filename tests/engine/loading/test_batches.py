"""Batches: a function of (seed, epoch, position), the same for any number of workers."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ftaug.config.registry import Component
from ftaug.engine.loading import prepare, seeds
from ftaug.engine.loading.batches import DRAWN_TOGETHER, Batch, EpochSampler, PreparedDataset, batches, once
from ftaug.engine.loading.split import DataSplit
from ftaug.engine.loading.token_budget import TokenBudget
from ftaug.errors import BadData
from ftaug.image import samples as verbs
from ftaug.image.io.picture import Picture
from ftaug.interfaces.data import Task
from ftaug.text.backbones.tiny_text import tiny_text
from ftaug.text.datasets.docstrings import docstrings

PREPROCESSING = {"mean": [0.5] * 3, "std": [0.5] * 3, "size": [8, 8], "resize": None, "interpolation": "bilinear"}
FLIP = {"probability": 0.5, "label_map": {"a": "b"}, "except": ()}


class Squares:
    """Gray squares; sample number 7 is broken if asked for."""

    task = Task(("a", "b"))
    groups = None
    fingerprint = "squares"
    notes = ()

    def __init__(self, count: int, broken: int | None = None) -> None:
        self.targets = np.arange(count) % 2
        self.broken = broken

    def __len__(self) -> int:
        return len(self.targets)

    def read(self, index: int) -> np.ndarray | bytes:
        return b"no picture" if index == self.broken else np.full((8, 8, 3), index % 256, np.uint8)

    def name(self, index: int) -> str:
        return f"squares[{index}]"


def prepared(count: int, broken: int | None = None) -> PreparedDataset:
    squares = Squares(count, broken)
    split = DataSplit("train", squares, np.arange(count), squares.targets, squares.task)
    return PreparedDataset(split, "image", verbs.pipeline((), PREPROCESSING), seed=0)


@given(st.integers(1, 300), st.integers(1, 40), st.integers(1, 4), st.integers(0, 3))
def test_an_epoch_visits_each_sample_once_in_even_steps(
    samples: int, batch_size: int, accumulate: int, epoch: int
) -> None:
    epochs = EpochSampler(0, samples, batch_size, accumulate)
    requests = list(epochs.requests(epoch * epochs.steps, (epoch + 1) * epochs.steps))
    assert sorted(np.concatenate([r.ids for r in requests])) == list(range(samples))
    steps = [[r for r in requests if r.step == step] for step in sorted({r.step for r in requests})]
    sizes = [sum(len(r.ids) for r in step) for step in steps]
    assert max(sizes) - min(sizes) <= 1
    assert max(len(r.ids) for r in requests) <= batch_size
    for step in steps:
        assert len(step) <= accumulate
        assert sum(r.share for r in step) == pytest.approx(1)


def test_starting_in_the_middle_gives_the_same_batches() -> None:
    epochs = EpochSampler(3, 100, 16, 1)
    whole = [r.ids.tolist() for r in epochs.requests(0, 20)]
    assert [r.ids.tolist() for r in epochs.requests(11, 20)] == whole[11:]


def test_batches_are_the_same_for_any_number_of_workers() -> None:
    runs = []
    for workers in (0, 1, 2):
        data = prepared(50)
        runs.append(list(batches(data, EpochSampler(0, 50, 8, 1).requests(0, 14), workers, pin=False)))
    for run in runs[1:]:
        for one, other in zip(runs[0], run, strict=True):
            assert torch.equal(one.inputs, other.inputs)
            assert np.array_equal(one.request.ids, other.request.ids)


def test_batches_of_texts_are_the_same_for_any_number_of_workers() -> None:
    """Those of similar length together, and each sample once an epoch."""
    experiment = SimpleNamespace(modality="text", seed=0)
    texts = docstrings("val")
    split = DataSplit("train", texts, np.arange(60), texts.targets[:60], texts.task)
    data = prepare.prepare_split(experiment, split, (), tiny_text(texts.task.classes, weights="none").preprocessing)
    epochs = EpochSampler(0, 60, 8, 1, data.sizes, bucket=4)
    runs = [list(batches(data, epochs.requests(0, 2 * epochs.steps), workers, pin=False)) for workers in (0, 1, 2)]
    for run in runs[1:]:
        for one, other in zip(runs[0], run, strict=True):
            assert torch.equal(one.inputs, other.inputs)
            assert torch.equal(one.targets, other.targets)
    seen = np.concatenate([batch.request.ids for batch in runs[0]])
    assert sorted(seen) == sorted([*range(60), *range(60)])


def test_evaluation_sees_samples_in_order() -> None:
    found: list[Batch] = list(batches(prepared(20), once(20, 8), 0, pin=False))
    assert np.concatenate([batch.request.ids for batch in found]).tolist() == list(range(20))
    assert torch.cat([batch.inputs for batch in found])[:, 0, 0, 0].tolist() == list(range(20))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_broken_sample_is_named(workers: int) -> None:
    with pytest.raises(BadData, match=r"^squares\[7\]: "):
        list(batches(prepared(20, broken=7), once(20, 8), workers, pin=False))


def test_a_sample_that_breaks_after_all_are_drawn_is_named() -> None:
    def broken(scale: int) -> np.ndarray:
        raise BadData("broken pixels")

    data = prepared(20)
    data.split.samples.read = lambda index: Picture(8, 8, broken) if index == 4 else np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(BadData, match=r"^squares\[4\]: broken pixels$"):
        list(batches(data, EpochSampler(0, 20, 20, 1).requests(0, 1), 0, pin=False))


def test_a_batch_of_several_groups_has_the_samples_alone() -> None:
    """With three views each."""
    rng = np.random.default_rng(0)
    data = prepared(2 * DRAWN_TOGETHER + 3)
    images = rng.integers(256, size=(len(data.split), 8, 8, 3), dtype=np.uint8)
    data.split.samples.read = lambda index: images[index]
    flip = Component("augmentation", "horizontal_flip", FLIP, "image", "ftaug.image.augmentations")
    pipeline = verbs.pipeline([flip], PREPROCESSING)
    data = replace(data, pipeline=pipeline, plain=data.pipeline, views=3, varying=None, relabels=True)
    (batch,) = batches(data, EpochSampler(0, len(images), len(images), 1).requests(0, 1), 0, pin=False)
    alone = [data.sample(position, 0) for position in batch.request.ids.tolist()]
    expected = np.stack([views[number] for number in range(3) for views, _ in alone])
    np.testing.assert_array_equal(batch.inputs.permute(0, 2, 3, 1), expected)
    assert batch.targets.tolist() == [int(target) for _, target in alone]


@pytest.mark.parametrize("multi_label", [False, True])
def test_a_flip_that_swaps_classes_changes_the_targets(multi_label: bool) -> None:
    """Also in a worker; what a sample was is told by its gray, whether it is mirrored by its left column."""
    squares = Squares(50)
    if multi_label:
        squares.targets, squares.task = np.eye(2, dtype=np.uint8)[squares.targets], Task(("a", "b"), True)
    squares.read = lambda index: np.full((8, 8, 3), index, np.uint8) + np.uint8(100) * (np.arange(8) < 2)[None, :, None]
    split = DataSplit("train", squares, np.arange(50), squares.targets, squares.task)
    flip = Component("augmentation", "horizontal_flip", FLIP, "image", "ftaug.image.augmentations")
    pipeline = verbs.pipeline([flip], PREPROCESSING)
    data = PreparedDataset(split, "image", pipeline, seed=0, relabels=verbs.relabels(pipeline))
    runs = [list(batches(data, EpochSampler(0, 50, 8, 1).requests(0, 14), workers, pin=False)) for workers in (0, 2)]
    swapped = 0
    for one, other in zip(*runs, strict=True):
        assert torch.equal(one.targets, other.targets)
        targets = one.targets.argmax(1) if multi_label else one.targets
        for position, picture, target in zip(one.request.ids.tolist(), one.inputs, targets.tolist(), strict=True):
            mirrored = bool(picture[0, 0, 0] == position)
            assert target == (position % 2) ^ mirrored
            swapped += mirrored
    assert 30 < swapped < 70
    assert split.targets is squares.targets
    np.testing.assert_array_equal(squares.targets.argmax(1) if multi_label else squares.targets, np.arange(50) % 2)


def test_a_sample_and_its_classes_come_from_one_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, streams = [], seeds.streams

    def counting(*key: int) -> Callable[[str], np.random.Generator]:
        return lambda name: drawn.append(name) or streams(*key)(name)

    monkeypatch.setattr(seeds, "streams", counting)
    squares = Squares(20)
    split = DataSplit("train", squares, np.arange(20), squares.targets, squares.task)
    flip = Component("augmentation", "horizontal_flip", FLIP, "image", "ftaug.image.augmentations")
    data = PreparedDataset(split, "image", verbs.pipeline([flip], PREPROCESSING), seed=0, relabels=True)
    targets = [int(data.sample(position, 0)[1]) for position in range(20)]
    assert drawn == ["horizontal_flip"] * 20
    assert targets != squares.targets.tolist()


SIZES = st.lists(st.integers(1, 60), min_size=2, max_size=200).map(np.array)


@given(SIZES, st.integers(1, 20), st.integers(1, 3), st.integers(1, 8), st.integers(60, 400), st.integers(0, 3))
def test_batches_by_size_visit_each_sample_once_within_the_budget(
    sizes: np.ndarray, batch_size: int, accumulate: int, bucket: int, budget: int, epoch: int
) -> None:
    epochs = EpochSampler(5, len(sizes), batch_size, accumulate, sizes, bucket, TokenBudget(budget, 20))
    requests = list(epochs.requests(epoch * epochs.steps, (epoch + 1) * epochs.steps))
    assert sorted(np.concatenate([r.ids for r in requests])) == list(range(len(sizes)))
    steps = [[r for r in requests if r.step == step] for step in sorted({r.step for r in requests})]
    assert len(steps) == epochs.steps == EpochSampler(5, len(sizes), batch_size, accumulate).steps
    in_steps = [sum(len(r.ids) for r in step) for step in steps]
    assert max(in_steps) - min(in_steps) <= 1
    for request in requests:
        assert len(request.ids) <= batch_size
        assert len(request.ids) * sizes[request.ids].max() <= budget
    for step, count in zip(steps, in_steps, strict=True):
        assert [r.ends_part for r in step] == [False] * (len(step) - 1) + [True]
        assert sum(r.share for r in step) == pytest.approx(1)
        assert all(r.share == len(r.ids) / count for r in step)


@given(SIZES, st.integers(0, 40))
def test_batches_by_size_do_not_depend_on_where_they_begin(sizes: np.ndarray, start: int) -> None:
    epochs = EpochSampler(3, len(sizes), 4, 1, sizes, 3, TokenBudget(120, 20))
    whole = [r for r in epochs.requests(0, 45) if r.step >= start]
    assert [(*r[1:], r.ids.tolist()) for r in epochs.requests(start, 45)] == [(*r[1:], r.ids.tolist()) for r in whole]


def test_a_sample_beyond_the_budget_goes_alone() -> None:
    sizes = np.array([5, 500, 5, 5])
    (one, rest) = EpochSampler(0, 4, 4, 1, sizes, 1, TokenBudget(100, 20)).requests(0, 1)
    assert one.ids.tolist() == [1]
    assert sorted(rest.ids.tolist()) == [0, 2, 3]


def test_those_alike_are_together_and_each_epoch_differs() -> None:
    """Within a bucket the steps part the sorted sizes; across buckets the order stays random."""
    sizes = np.random.default_rng(0).permutation(400)
    epochs = EpochSampler(0, 400, 10, 1, sizes, 8)
    spans = [np.ptp(sizes[r.ids]) for r in epochs.requests(0, epochs.steps)]
    assert np.mean(spans) < 80 < np.mean([np.ptp(sizes[r.ids]) for r in EpochSampler(0, 400, 10, 1).requests(0, 40)])
    means = [sizes[r.ids].mean() for r in epochs.requests(0, epochs.steps)]
    assert abs(np.corrcoef(np.arange(40), means)[0, 1]) < 0.4  # short and long ones take turns
    first, second = ({tuple(sorted(r.ids)) for r in epochs.requests(k * 40, k * 40 + 40)} for k in (0, 1))
    assert len(first & second) < 4


def test_one_bucket_is_the_random_order() -> None:
    sizes = np.arange(50)
    plain, same = EpochSampler(1, 50, 8, 1), EpochSampler(1, 50, 8, 1, sizes, 1)
    for one, other in zip(plain.requests(0, 14), same.requests(0, 14), strict=True):
        assert np.array_equal(one.ids, other.ids)


@given(SIZES, st.integers(1, 30))
def test_evaluation_by_size_sees_each_sample_once(sizes: np.ndarray, batch_size: int) -> None:
    requests = list(once(len(sizes), batch_size, sizes))
    order = np.concatenate([r.ids for r in requests])
    assert sorted(order) == list(range(len(sizes)))
    assert (np.diff(sizes[order]) >= 0).all()
    assert sum(r.share for r in requests) == pytest.approx(1)


@pytest.mark.parametrize("workers", [0, 2])
def test_corrupted_samples_are_the_same_for_every_run_batch_size_and_number_of_workers(workers: int) -> None:
    noise = Component(
        "augmentation",
        "corruption",
        {"kind": "gaussian_noise", "level": 5, "probability": 1.0},
        "image",
        "ftaug.image.augmentations",
    )

    def inputs(seed: int, batch_size: int, workers: int) -> np.ndarray:
        experiment = SimpleNamespace(modality="image", seed=seed)
        data = prepare.corrupt_split(experiment, prepared(12).split, noise, PREPROCESSING)
        return np.concatenate([b.inputs.numpy() for b in batches(data, once(12, batch_size), workers, pin=False)])

    expected = inputs(0, 12, 0)
    np.testing.assert_array_equal(inputs(1, 5, workers), expected)
    assert (expected[1] != 1).any() and len(np.unique(expected[:, 0, 0, 0])) > 3
