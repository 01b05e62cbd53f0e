"""Predict samples by a logistic regression on features (a linear probe)."""

from __future__ import annotations

import warnings

import numpy as np

from ftaug.engine.loading import stratify

FOLDS = 5
MOST_VALUES = 256
"""Number of principal components that a regression is fitted on."""

INVERSE_PENALTIES = (0.001, 0.01, 0.1, 1.0)
"""Values of `C` of scikit-learn's LogisticRegression to choose from, the strongest penalty first."""

LEAST_PROBABILITY = 1e-6
"""Probability below which a label costs no more, when penalties are compared."""


def out_of_fold(
    features: np.ndarray, targets: np.ndarray, classes: int, groups: np.ndarray, identities: np.ndarray, seed: int
) -> np.ndarray:
    """Return the probabilities of each sample by the model of the other folds: float32 (n, classes).

    Features are float32 (n, values); targets class indices (n,), or 0 and 1 (n, classes) with one regression for each
    label. Samples of a group are in one fold. The penalty is chosen for each fold by the negative log-likelihood of one
    of the others, so no label decides on its own prediction.
    """
    folds = stratify.folds(targets, groups, FOLDS, identities, seed)
    probabilities = np.zeros((len(targets), classes), np.float32)
    for fold in range(FOLDS):
        is_train, is_validation = folds != fold, folds == (fold + 1) % FOLDS
        probabilities[~is_train] = predict_others(features, targets, classes, is_train, is_validation)
    return probabilities


def predict_others(
    features: np.ndarray, targets: np.ndarray, classes: int, is_train: np.ndarray, is_validation: np.ndarray
) -> np.ndarray:
    """Fit a regression on training samples, and return the probabilities of the others: float64 (others, classes).

    The penalty is chosen by the negative log-likelihood of the training samples that `is_validation` holds out.
    """
    values = projected(features, is_train)
    penalty = _best_penalty(values, targets, classes, is_train & ~is_validation, is_validation)
    return _predict(values[is_train], targets[is_train], classes, values[~is_train], penalty)


def projected(features: np.ndarray, is_train: np.ndarray) -> np.ndarray:
    """Standardize features, and reduce many to principal components, as fitted on the training samples."""
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    steps = [StandardScaler()]
    if features.shape[1] > MOST_VALUES:
        steps.append(PCA(min(MOST_VALUES, int(is_train.sum())), random_state=0))
    return np.asarray(make_pipeline(*steps).fit(features[is_train]).transform(features))


def _best_penalty(
    values: np.ndarray, targets: np.ndarray, classes: int, is_train: np.ndarray, is_validation: np.ndarray
) -> float:
    """Return the inverse penalty with the lowest negative log-likelihood; the search ends where it rises."""
    best, lowest = INVERSE_PENALTIES[0], np.inf
    for penalty in INVERSE_PENALTIES:
        predicted = _predict(values[is_train], targets[is_train], classes, values[is_validation], penalty)
        loss = -np.log(_of_labels(predicted, targets[is_validation]).clip(LEAST_PROBABILITY)).mean()
        if loss >= lowest:
            break
        best, lowest = penalty, loss
    return best


def _of_labels(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the probabilities of the labels: (n,), or (n, classes) of 0 and 1."""
    if targets.ndim == 1:
        return np.asarray(probabilities[np.arange(len(targets)), targets])
    return np.where(targets == 1, probabilities, 1 - probabilities)


def _predict(values: np.ndarray, targets: np.ndarray, classes: int, others: np.ndarray, penalty: float) -> np.ndarray:
    """Return the probabilities of other samples by a regression fitted on these: float64 (others, classes)."""
    probabilities = np.zeros((len(others), classes))
    if targets.ndim == 1:
        present, predicted = _fitted(values, targets, others, penalty)
        probabilities[:, present] = predicted
        return probabilities
    for label, column in enumerate(targets.T):
        present, predicted = _fitted(values, column, others, penalty)
        probabilities[:, label] = predicted[:, present.tolist().index(1)] if 1 in present else 0
    return probabilities


def _fitted(
    values: np.ndarray, targets: np.ndarray, others: np.ndarray, penalty: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fit a regression on samples; return the classes that they have, and their probabilities for other samples."""
    from sklearn.linear_model import LogisticRegression

    present = np.unique(targets)
    if len(present) == 1:
        return present, np.ones((len(others), 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that has not quite converged predicts well enough
        model = LogisticRegression(C=penalty, max_iter=200).fit(values, targets)
    return present, np.asarray(model.predict_proba(others))
