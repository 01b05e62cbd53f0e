"""Predict samples from features: by a linear model, and by the nearest training samples."""

from __future__ import annotations

import numpy as np

from ftaug.data.nearest import nearest
from ftaug.interfaces.data import Task
from ftaug.runs.doctor.linear_probe import predict_others, projected

NEIGHBORS = 20
"""Number of nearest training samples that vote (Wu et al. 2018)."""

TEMPERATURE = 0.07
"""Divides the cosine similarities before the softmax that weights the votes (Wu et al. 2018)."""

RIDGE_PENALTIES = tuple(10.0**power for power in range(-2, 5))


def linear_probe(
    features: np.ndarray, targets: np.ndarray, task: Task, is_train: np.ndarray, is_validation: np.ndarray
) -> np.ndarray:
    """Fit a linear model on the training samples, and predict the others: (others, classes).

    Features are float32 (n, values), targets those of the task. It is a logistic regression, whose penalty is chosen on
    the training samples that `is_validation` holds out; for numbers a ridge regression with a penalty by leave-one-out.
    """
    if not task.regression:
        return predict_others(features, targets, len(task.classes), is_train, is_validation)
    from sklearn.linear_model import RidgeCV

    values = projected(features, is_train)
    model = RidgeCV(RIDGE_PENALTIES).fit(values[is_train], targets[is_train])
    return np.asarray(model.predict(values[~is_train])).reshape(-1, len(task.classes))


def nearest_neighbors(features: np.ndarray, targets: np.ndarray, task: Task, is_train: np.ndarray) -> np.ndarray:
    """Predict the other samples by a weighted vote of the nearest training samples: (others, classes)."""
    train_targets = targets[is_train]
    votes = np.eye(len(task.classes))[train_targets] if task.kind == "single_label" else train_targets
    result = nearest(features[~is_train], features[is_train], min(NEIGHBORS, len(train_targets)))
    weights = np.exp((result.similarities - result.similarities[:, :1]) / TEMPERATURE)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("qk,qkc->qc", weights, votes[result.rows]))
