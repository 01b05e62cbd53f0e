"""Each sample is predicted by a regression that was not fitted on it, nor on its group."""

import numpy as np

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
