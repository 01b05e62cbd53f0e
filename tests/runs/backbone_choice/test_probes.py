"""Predictions from features: against a computation sample by sample."""

import numpy as np
from sklearn.linear_model import LinearRegression

from ftaug.interfaces.data import Task
from ftaug.runs.backbone_choice import probes

RNG = np.random.default_rng(0)
CLASSES = Task(("a", "b", "c"), False)


def clusters(count=90, values=6):
    targets = np.arange(count) % 3
    features = RNG.normal(size=(3, values))[targets] * 2 + RNG.normal(size=(count, values))
    return features.astype(np.float32), targets, np.arange(count) < 60


def vote(train, train_votes, query):
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    unit = [(v - mean) / deviation / np.linalg.norm((v - mean) / deviation) for v in (*train, query)]
    similarities = np.array([v @ unit[-1] for v in unit[:-1]])
    nearest = np.argsort(-similarities)[: probes.NEIGHBORS]
    weights = np.exp(similarities[nearest] / probes.TEMPERATURE)
    return weights @ train_votes[nearest] / weights.sum()


def test_nearest_neighbors_vote_by_similarity():
    features, targets, is_train = clusters()
    predicted = probes.nearest_neighbors(features, targets, CLASSES, is_train)
    expected = [vote(features[:60].astype(float), np.eye(3)[targets[:60]], query) for query in features[60:]]
    assert np.allclose(predicted, expected, atol=1e-4)


def test_numbers_are_averaged_and_fitted():
    features, _, is_train = clusters()
    numbers = (features @ RNG.normal(size=(6, 2)) + 5).astype(float)
    task = Task(("x", "y"), False, regression=True)
    averaged = probes.nearest_neighbors(features, numbers, task, is_train)
    assert np.allclose(averaged[0], vote(features[:60].astype(float), numbers[:60], features[60]), atol=1e-3)
    fitted = probes.linear_probe(features, numbers, task, is_train, ~is_train)
    expected = LinearRegression().fit(features[:60], numbers[:60]).predict(features[60:])
    assert np.allclose(fitted, expected, atol=0.05)


def test_labels_of_others_change_nothing():
    features, targets, is_train = clusters()
    is_validation = np.arange(90) % 5 == 0
    is_validation[60:] = False
    predicted = probes.linear_probe(features, targets, CLASSES, is_train, is_validation)
    assert (predicted.argmax(axis=1) == targets[60:]).mean() > 0.8
    shuffled = np.where(is_train, targets, 0)
    assert np.array_equal(predicted, probes.linear_probe(features, shuffled, CLASSES, is_train, is_validation))
    again = probes.nearest_neighbors(features, shuffled, CLASSES, is_train)
    assert np.array_equal(again, probes.nearest_neighbors(features, targets, CLASSES, is_train))


def test_several_labels_are_voted_for_one_by_one():
    features, targets, is_train = clusters()
    labels = np.stack([targets == 0, targets != 1], axis=1).astype(np.uint8)
    task = Task(("p", "q"), True)
    predicted = probes.nearest_neighbors(features, labels, task, is_train)
    expected = vote(features[:60].astype(float), labels[:60].astype(float), features[60])
    assert np.allclose(predicted[0], expected, atol=1e-4)
