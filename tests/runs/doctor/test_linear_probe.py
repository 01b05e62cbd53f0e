"""Each sample is predicted by a regression that was not fitted on it, nor on its group."""

import numpy as np

from ftaug.runs.doctor import linear_probe
from ftaug.runs.doctor.linear_probe import out_of_fold


def clusters(count=60, classes=3, values=8):
    rng = np.random.default_rng(0)
    targets = np.arange(count) % classes
    features = rng.normal(size=(classes, values))[targets] * 3 + rng.normal(size=(count, values))
    return features.astype(np.float32), targets


def test_separate_classes_are_predicted():
    features, targets = clusters()
    probabilities = out_of_fold(features, targets, 4, np.arange(60), np.arange(60, dtype=np.uint64), 0)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities.argmax(axis=1) == targets).mean() > 0.9
    assert probabilities[:, 3].max() == 0  # a class without samples


def test_a_copy_in_the_same_group_does_not_vouch_for_a_wrong_label():
    features, targets = clusters()
    features, targets = np.repeat(features, 2, axis=0), np.repeat(targets, 2)
    targets[:2] = (targets[0] + 1) % 3  # a sample and its copy, both labeled wrong
    words = np.arange(120, dtype=np.uint64)
    together = out_of_fold(features, targets, 3, np.arange(120) // 2, words, 0)
    assert together[:2, targets[0]].max() < 0.5


def test_more_values_than_samples():
    features, targets = clusters(values=600)
    probabilities = out_of_fold(features, targets, 3, np.arange(60), np.arange(60, dtype=np.uint64), 0)
    assert (probabilities.argmax(axis=1) == targets).mean() > 0.9


def test_several_labels_have_a_regression_each():
    features, targets = clusters(count=90)
    labels = np.stack([targets == 0, targets != 2, targets < 0, targets >= 0], axis=1).astype(np.uint8)
    words = np.arange(90, dtype=np.uint64)
    probabilities = out_of_fold(features, labels, 4, np.arange(90), words, 0)
    assert ((probabilities > 0.5) == labels).mean() > 0.95
    assert probabilities[:, 2].max() == 0  # no sample has it
    assert probabilities[:, 3].min() == 1  # all have it


def test_the_penalty_is_chosen_by_the_likelihood_of_other_samples(monkeypatch):
    features, targets = clusters(count=150)
    noise = np.random.default_rng(1).integers(0, 3, 150)
    chosen = []
    search = linear_probe._best_penalty
    monkeypatch.setattr(linear_probe, "_best_penalty", lambda *args: chosen.append(search(*args)) or chosen[-1])
    words = np.arange(150, dtype=np.uint64)
    out_of_fold(features, targets, 3, np.arange(150), words, 0)
    of_separate = np.mean(chosen)
    chosen.clear()
    out_of_fold(features, noise, 3, np.arange(150), words, 0)
    assert np.mean(chosen) < of_separate  # labels at random need the strongest
