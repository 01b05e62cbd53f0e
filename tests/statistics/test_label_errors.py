"""Confident learning, against a direct count and on planted label errors."""

import numpy as np
import pytest

from ftaug.statistics.label_errors import confident_joint, find_label_errors, find_multi_label_errors


def noisy(samples=4000, classes=5, share=0.05, seed=0):
    """Calibrated probabilities of the true classes, and labels of which a share is wrong."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, 0.05), samples)
    truth = np.array([rng.choice(classes, p=row) for row in probabilities])
    labels = truth.copy()
    wrong = rng.choice(samples, round(share * samples), replace=False)
    labels[wrong] = (labels[wrong] + rng.integers(1, classes, len(wrong))) % classes
    return probabilities, labels, wrong


def test_the_joint_counts_confident_samples():
    probabilities, labels, _ = noisy(500)
    means = [probabilities[labels == j, j].mean() for j in range(5)]
    expected = np.zeros((5, 5), int)
    for row, label in zip(probabilities, labels, strict=True):
        reached = [j for j in range(5) if row[j] >= means[j]]
        if reached:
            expected[label, max(reached, key=lambda j: row[j])] += 1
    assert confident_joint(probabilities, labels).tolist() == expected.tolist()


def test_planted_errors_come_first():
    probabilities, labels, wrong = noisy()
    errors = find_label_errors(probabilities, labels)
    assert np.isin(errors.rows[: len(wrong)], wrong).mean() > 0.8
    assert (np.diff(errors.probabilities) >= 0).all()
    assert errors.suggested.tolist() == probabilities[errors.rows].argmax(axis=1).tolist()
    assert (errors.suggested != labels[errors.rows]).all()


def test_the_estimate_is_near_the_number_of_wrong_labels():
    sure = noisy(share=0.0)[0] ** 8  # nearly one-hot, so that labels alone are uncertain
    sure /= sure.sum(axis=1, keepdims=True)
    labels = sure.argmax(axis=1)
    assert find_label_errors(sure, labels).estimated <= 0.005 * len(labels)
    wrong = np.random.default_rng(1).choice(len(labels), 200, replace=False)
    labels[wrong] = (labels[wrong] + 1) % 5
    assert find_label_errors(sure, labels).estimated == pytest.approx(200, rel=0.1)


def test_a_class_without_samples_and_right_labels():
    probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.7, 0.2, 0.1]])
    errors = find_label_errors(probabilities, np.array([0, 1, 0]))
    assert (len(errors.rows), errors.estimated) == (0, 0)
    assert confident_joint(probabilities, np.array([0, 1, 0]))[:, 2].sum() == 0


def test_several_labels_are_a_problem_of_two_classes_each():
    rng = np.random.default_rng(0)
    sure = rng.beta(0.1, 0.1, (2000, 3))
    targets = (sure > 0.5).astype(np.uint8)
    wrong = rng.choice(2000, 60, replace=False)
    columns = rng.integers(0, 3, 60)
    targets[wrong, columns] ^= 1
    errors = find_multi_label_errors(sure, targets)
    assert errors.estimated == pytest.approx(60, rel=0.35)
    assert np.isin(errors.rows[:60], wrong).mean() > 0.8
    rows_of_labels = []
    for label in range(3):
        of_label = find_label_errors(np.stack([1 - sure[:, label], sure[:, label]], 1), targets[:, label].astype(int))
        rows_of_labels.append(of_label.rows[: of_label.estimated])
    suspects = np.unique(np.concatenate(rows_of_labels))
    assert sorted(errors.rows[: errors.estimated].tolist()) == suspects.tolist()
    changed = errors.suggested[: errors.estimated] != targets[errors.rows[: errors.estimated]]
    for label in range(3):
        of_label = errors.rows[: errors.estimated][changed[:, label]]
        assert sorted(of_label.tolist()) == sorted(rows_of_labels[label].tolist())
    place = int(np.flatnonzero(errors.rows == wrong[0])[0])
    assert errors.suggested[place].tolist() == (sure[wrong[0]] > 0.5).tolist()


def test_labels_that_no_sample_or_every_sample_has():
    probabilities = np.array([[0.1, 0.9], [0.2, 0.7], [0.3, 0.8]])
    targets = np.array([[0, 1], [0, 1], [0, 1]], np.uint8)
    errors = find_multi_label_errors(probabilities, targets)
    assert (len(errors.rows), errors.estimated) == (0, 0)
