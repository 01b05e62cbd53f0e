"""Find wrong labels from out-of-sample probabilities: confident learning (Northcutt, Jiang and Chuang, 2021)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class LabelErrors(NamedTuple):
    """The samples for which another class than their label is most probable, the least probable labels first."""

    rows: np.ndarray  # int64 (k,)
    suggested: np.ndarray  # int64 (k,): the most probable class; of several labels uint8 (k, classes)
    probabilities: np.ndarray  # float64 (k,): of the label; of several labels that of the least probable one
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


def find_multi_label_errors(probabilities: np.ndarray, targets: np.ndarray) -> LabelErrors:
    """Rank the samples of which a label is probably wrong, set or missing; probabilities and targets (n, classes).

    Each label is a problem of two classes for `find_label_errors`. A suspect has a label among the estimated wrong ones
    of a problem; what is suggested changes these labels alone.
    """
    labeled = np.where(targets == 1, probabilities, 1 - probabilities).astype(np.float64)
    differs, is_wrong = np.zeros(targets.shape, bool), np.zeros(targets.shape, bool)
    for label, (predicted, column) in enumerate(zip(probabilities.T, targets.T, strict=True)):
        errors = find_label_errors(np.stack([1 - predicted, predicted], axis=1), column.astype(np.int64))
        differs[errors.rows, label] = True
        is_wrong[errors.rows[: errors.estimated], label] = True
    is_suspect = np.asarray(is_wrong.any(axis=1))
    changed = np.where(is_suspect[:, None], is_wrong, differs)
    lowest = np.where(changed, labeled, np.inf).min(axis=1, initial=np.inf)
    rows = np.flatnonzero(differs.any(axis=1))
    rows = rows[np.lexsort((lowest[rows], ~is_suspect[rows]))]
    suggested = (targets ^ changed)[rows].astype(np.uint8)
    return LabelErrors(rows, suggested, lowest[rows], int(is_suspect.sum()))
