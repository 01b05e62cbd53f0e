"""Pseudo-labeled samples beside labeled ones: in training, but in no other split."""

from dataclasses import replace

import numpy as np
import pytest

from ftaug.engine.loading.batches import BatchRequest
from ftaug.engine.loading.data_record import RecordedData, fingerprints, to_csv
from ftaug.engine.loading.joined_samples import joined
from ftaug.engine.loading.prepare import epoch_sampler_of, prepare_split, resampling_of
from ftaug.engine.loading.split import load_splits
from ftaug.engine.training.build import build
from ftaug.errors import BadData
from ftaug.experiment_file import load
from ftaug.interfaces.data import Task

LABELED = "text,label\n" + "".join(f"{name} number {i},{name}\n" for i in range(10) for name in ("cat", "dog"))
PSEUDO = "text,probability_dog,probability_cat\n" + "".join(f"new {i},0.{i},{1 - i / 10:g}\n" for i in range(1, 10))
EXPERIMENT = """
modality: text
data:
  train: {text_table: {path: train.csv}}
  val: {split: 20%}
  pseudo_labels: {text_table: {path: pseudo.csv, soft: true}}
  batch_size: 4
backbone: {tiny_text: {weights: none, max_length: 6}}
"""


@pytest.fixture
def experiment(tmp_path):
    for name, text in {"train.csv": LABELED, "pseudo.csv": PSEUDO, "e.yaml": EXPERIMENT}.items():
        (tmp_path / name).write_text(text)
    return load(tmp_path / "e.yaml")


def test_they_are_trained_on_and_split_nothing(experiment, tmp_path):
    without = load(tmp_path / "e.yaml", ["~data.pseudo_labels"])
    plain, splits = load_splits(without.data, 0), load_splits(experiment.data, 0)
    assert [*splits["val"].names()] == [*plain["val"].names()]
    assert [*splits["train"].names()] == [
        *plain["train"].names(),
        *(f"{tmp_path}/pseudo.csv:{i}" for i in range(2, 11)),
    ]
    assert len(splits["train"]) == 16 + 9 and splits["train"].epoch_samples == 16
    assert splits["train"].samples.fingerprint != plain["train"].samples.fingerprint


def test_soft_targets_are_for_training_only(experiment):
    train = load_splits(experiment.data, 0)["train"]
    shares = train.training_targets(np.arange(len(train)))
    assert shares[:16].tolist() == np.eye(2)[train.targets[:16]].tolist()
    np.testing.assert_allclose(shares[16:, 1], np.arange(1, 10) / 10, atol=1e-6)  # cat comes first
    assert train.targets[[16, 24]].tolist() == [0, 1]
    backbone = experiment.backbone(train.task.classes, experiment.input)
    data = prepare_split(experiment, train, (), backbone.preprocessing)
    request = BatchRequest(np.array([0, 24]), 0, 0, 0, 1.0)
    np.testing.assert_allclose(data[request].targets, shares[[0, 24]])
    assert data[request._replace(epoch=None)].targets.tolist() == train.targets[[0, 24]].tolist()


def test_an_epoch_is_no_longer_and_the_samples_of_a_class_have_their_turns(experiment):
    train = load_splits(experiment.data, 0)["train"]
    assert train.counts().tolist() == [12, 13]
    epochs = epoch_sampler_of(experiment, train.epoch_samples, resampling=resampling_of(experiment, train))
    assert epochs.steps == 4
    visits = np.concatenate([request.ids for request in epochs.requests(0, 39 * 4)])
    assert len(visits) == 39 * 16
    times = np.bincount(visits, minlength=25)
    assert times[train.targets == 0].tolist() == [26] * 12 and times[train.targets == 1].tolist() == [24] * 13
    rounds = np.concatenate([request.rounds for request in epochs.requests(0, 39 * 4)])
    pairs = {(v, r) for v, r in zip(visits, rounds, strict=True)}
    assert pairs == {(v, r) for v in range(25) for r in range(26 if train.targets[v] == 0 else 24)}


def test_pseudo_labels_leave_the_shares_of_the_classes_as_they_are(experiment, tmp_path):
    (tmp_path / "pseudo.csv").write_text("text,label\n" + "".join(f"new {i},cat\n" for i in range(40)))
    hard = load(tmp_path / "e.yaml", ["data.pseudo_labels={text_table: {path: pseudo.csv}}"])
    train = load_splits(hard.data, 0)["train"]
    assert train.counts().tolist() == [48, 8] and train.labeled_counts().tolist() == [8, 8]
    assert resampling_of(hard, train).quotas.tolist() == [8, 8]
    state = build(hard, "cpu", load_splits(hard.data, 0), pretrained=True)
    assert state.counts.tolist() == [8, 8]  # of which the loss and the bias of a new head are made


def test_a_class_of_pseudo_labels_alone_is_visited(experiment):
    train = load_splits(experiment.data, 0)["train"]
    alone = replace(train, ids=train.ids[train.targets == 0], targets=train.targets[train.targets == 0])
    alone = replace(alone, ids=np.append(alone.ids, 24), targets=np.append(alone.targets, 1))
    assert alone.labeled_counts().tolist() == [8, 1]
    assert resampling_of(experiment, alone).quotas.tolist() == [7, 1]


def test_the_splits_are_restored_from_their_record(experiment, tmp_path):
    splits = load_splits(experiment.data, 0)
    (tmp_path / "samples.csv").write_text(to_csv(splits))
    restored = RecordedData(tmp_path, experiment.data, splits["train"].task, fingerprints(splits))
    for name, split in splits.items():
        assert restored[name].ids.tolist() == split.ids.tolist()
        assert restored[name].epoch_samples == split.epoch_samples
    (tmp_path / "pseudo.csv").write_text(PSEUDO + "one more,1,0\n")
    changed = RecordedData(tmp_path, experiment.data, splits["train"].task, fingerprints(splits))
    assert "1 sample added" in changed.change("train")


def test_a_sampler_counts_them_in_epochs_of_the_same_length(experiment, tmp_path):
    sampled = load(tmp_path / "e.yaml", ["data.sampler=balanced"])
    train = load_splits(sampled.data, 0)["train"]
    assert resampling_of(sampled, train).quotas.tolist() == [8, 8]


class Labels:
    """Labels without samples."""

    fingerprint, groups, notes = "x", None, ()

    def __init__(self, targets, task):
        self.targets, self.task = np.array(targets), task

    def __len__(self):
        return len(self.targets)


def test_hard_labels_of_some_classes():
    first, second = Labels([0, 1, 2], Task(("a", "b", "c"))), Labels([1, 0], Task(("a", "c")))
    samples = joined(first, second)
    assert samples.targets.tolist() == [0, 1, 2, 2, 0] and samples.soft_targets is None
    first.groups = np.array([4, 4, 9])
    assert samples.groups.tolist() == [4, 4, 9, 10, 11]


@pytest.mark.parametrize("task", [Task(("a",), regression=True), Task(("a", "b"), multi_label=True)])
def test_other_tasks_are_refused(task):
    with pytest.raises(BadData, match="pseudo_labels: is for tasks with one class a sample"):
        joined(Labels([[0.0]], task), Labels([[0.0]], task))
