"""Find wrong labels from out-of-sample probabilities: confident learning (Northcutt, Jiang and Chuang, 2021)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class LabelErrors(NamedTuple):
    """The samples for which another class than their label is most probable, the least probable labels first."""

    rows: np.ndarray  # int64 (k,)
    suggested: np.ndarray  # int64 (k,): the most probable class
    probabilities: np.ndarray  # float64 (k,): of the label
    estimated: int  # number of wrong labels, at most k: that many of the first rows are suspects


def confident_joint(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Count the samples by label and by the class that they confidently are of: int64 (classes, classes).

    A sample is confidently of a class if its probability reaches the mean over the samples with that label; if it
    reaches that of several classes, of the most probable one; if of none, it is not counted.
    """
    classes = probabilities.shape[1]
    labeled = probabilities[np.arange(len(targets)), targets].astype(np.float64)
    counts = np.bincount(targets, minlength=classes)
    means = np.bincount(targets, weights=labeled, minlength=classes) / np.maximum(counts, 1)
    is_confident = (probabilities >= means - 1e-9) & (counts > 0)
    confident = np.where(is_confident, probabilities, -1.0)
    rows = np.flatnonzero(is_confident.any(axis=1))
    joint = np.zeros((classes, classes), np.int64)
    np.add.at(joint, (targets[rows], confident[rows].argmax(axis=1)), 1)
    return joint


def find_label_errors(probabilities: np.ndarray, targets: np.ndarray) -> LabelErrors:
    """Rank the samples whose label is probably wrong, and estimate how many labels are.

    `probabilities` (n, classes) must be predicted by models that were not trained on the sample; targets are class
    indices (n,). The estimate scales each row of the confident joint to the number of samples with that label.
    """
    labeled = probabilities[np.arange(len(targets)), targets].astype(np.float64)
    predicted = probabilities.argmax(axis=1)
    rows = np.flatnonzero(predicted != targets)
    rows = rows[np.argsort(labeled[rows], kind="stable")]
    joint = confident_joint(probabilities, targets)
    counts = np.bincount(targets, minlength=len(joint))
    wrong = (1 - joint.diagonal() / np.maximum(joint.sum(axis=1), 1)) * counts * (joint.sum(axis=1) > 0)
    return LabelErrors(rows, predicted[rows], labeled[rows], min(len(rows), round(float(wrong.sum()))))
