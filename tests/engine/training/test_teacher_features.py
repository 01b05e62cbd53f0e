"""The features of a teacher: what is stored, and which view the student sees."""

import numpy as np
import pytest
import torch
from torch import nn

from ftaug.engine.loading.batches import batches
from ftaug.engine.loading.split import load_splits
from ftaug.engine.training.build import build
from ftaug.engine.training.fit import Progress, fit
from ftaug.engine.training.teacher_features import FeatureTeacher, with_teacher_features
from ftaug.experiment_file import load

EXPERIMENT = """
data: {train: {digits: {per_class: 2}}, val: null, batch_size: 8, workers: 0}
backbone: {resnet20: {weights: none}}
augment: [{rotate: {degrees: 20}}]
objective: {feature_distillation: {teacher: nowhere, dimensions: 16, stored_views: 2}}
train: {epochs: 3, precision: fp32}
"""
calls = []


def features(inputs):
    """Mean values of the quarters of each row: (n, 4 · rows)."""
    calls.append(len(inputs))
    return inputs[:, 0].float().unflatten(2, (4, -1)).mean(dim=3).flatten(1).numpy()


@pytest.fixture
def state(write):
    experiment = load(write(EXPERIMENT))
    built = build(experiment, "cpu", load_splits(experiment.data, 0), pretrained=True)
    calls.clear()
    with with_teacher_features(built, FeatureTeacher(nn.Identity(), features)) as state:
        yield state


def test_the_targets_are_those_of_the_view_that_the_student_sees(state):
    assert sum(calls) == 2 * 20  # once a view
    data, steps = state.prepared("train"), state.training_length.epoch_steps
    stored = list(batches(data, state.epochs.requests(0, 3 * steps), 0, pin=False))
    weights = torch.randn(features(stored[0].inputs).shape[1], 16, generator=torch.Generator().manual_seed(0)).numpy()
    by_view = {}
    for batch in stored:
        values = features(batch.inputs)
        normalized = (values - values.mean(axis=1, keepdims=True)) / np.sqrt(values.var(axis=1, keepdims=True) + 1e-5)
        targets = state.teacher_features.targets(batch.request).numpy()
        assert np.allclose(targets, normalized @ weights / np.sqrt(len(weights)), atol=1e-4)
        for sample, row in zip(batch.request.ids.tolist(), batch.inputs, strict=True):
            by_view[batch.request.epoch, sample] = row
    assert all((by_view[0, sample] == by_view[2, sample]).all() for sample in range(20))  # two views, in turn
    assert any((by_view[0, sample] != by_view[1, sample]).any() for sample in range(20))
    assert 0.5 < float(state.teacher_features.values.var()) < 2


def test_the_student_is_trained_to_predict_them(state):
    losses = [float(step.loss) for step in fit(state, Progress())]
    assert len(losses) == 9 and np.isfinite(losses).all() and np.mean(losses[-3:]) < np.mean(losses[:3])


def test_other_experiments_have_no_teacher(write):
    experiment = load(write(EXPERIMENT.replace("objective:", "#")))
    built = build(experiment, "cpu", load_splits(experiment.data, 0), pretrained=True)
    with with_teacher_features(built, None) as state:
        assert state is built
