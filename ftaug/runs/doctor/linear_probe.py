"""Predict each sample out of fold by a logistic regression on features."""

from __future__ import annotations

import warnings

import numpy as np

from ftaug.engine.loading import stratify

FOLDS = 5
MOST_VALUES = 256
"""Number of principal components that a regression is fitted on."""

INVERSE_PENALTY = 0.01
"""`C` of scikit-learn's LogisticRegression: strong, so that few wrong labels do not bend the boundaries."""


def out_of_fold(
    features: np.ndarray, targets: np.ndarray, classes: int, groups: np.ndarray, identities: np.ndarray, seed: int
) -> np.ndarray:
    """Return the probabilities of each sample by the model of the other folds: float32 (n, classes).

    Features are float32 (n, values), targets class indices (n,). Samples of a group are in one fold.
    """
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    folds = stratify.folds(targets, groups, FOLDS, identities, seed)
    probabilities = np.zeros((len(targets), classes), np.float32)
    for fold in range(FOLDS):
        train, held_out = folds != fold, folds == fold
        steps = [StandardScaler()]
        if features.shape[1] > MOST_VALUES:
            steps.append(PCA(min(MOST_VALUES, int(train.sum())), random_state=0))
        model = make_pipeline(*steps, LogisticRegression(C=INVERSE_PENALTY, max_iter=200))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fit that has not quite converged predicts well enough
            model.fit(features[train], targets[train])
        probabilities[np.ix_(held_out, model.classes_)] = model.predict_proba(features[held_out])
    return probabilities
