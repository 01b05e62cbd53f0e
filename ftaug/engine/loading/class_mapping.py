"""Map the targets of a dataset to the classes of another task."""

import numpy as np

from ftaug.errors import BadData, did_you_mean
from ftaug.interfaces.data import Task


def map_targets(purpose: str, targets: np.ndarray, source: Task, task: Task) -> np.ndarray:
    """Map targets to the classes of another task; raises BadData for a class with samples that the task lacks."""
    if source.regression != task.regression:
        raise BadData(f"data.{purpose}: has {'numbers' if source.regression else 'classes'}, unlike data.train")
    if task.regression:
        theirs, ours = ", ".join(source.classes), ", ".join(task.classes)
        raise BadData(f"data.{purpose}: its numbers are {theirs}, and those of data.train {ours}")
    if source.multi_label != task.multi_label:
        raise BadData(
            f"data.{purpose}: has {'' if source.multi_label else 'no '}several labels a sample, unlike data.train"
        )
    used = np.flatnonzero(targets.any(axis=0)) if task.multi_label else np.unique(targets)
    columns = _columns(purpose, used, source, task)
    if not task.multi_label:
        return np.asarray(columns[targets])
    result = np.zeros((len(targets), len(task.classes)), np.uint8)
    result[:, columns[used]] = targets[:, used]
    return result


def map_soft_targets(purpose: str, shares: np.ndarray, source: Task, task: Task) -> np.ndarray:
    """Map shares of classes (n, classes) to the classes of another task; raises BadData for a class that it lacks."""
    used = np.flatnonzero(shares.any(axis=0))
    result = np.zeros((len(shares), len(task.classes)), np.float32)
    result[:, _columns(purpose, used, source, task)[used]] = shares[:, used]
    return result


def _columns(purpose: str, used: np.ndarray, source: Task, task: Task) -> np.ndarray:
    """Return the index in the task of each used class; raises BadData for one that the task lacks."""
    columns = np.zeros(len(source.classes), np.int64)
    for code in used.tolist():
        name = source.classes[code]
        if name not in task.classes:
            near = did_you_mean(name, task.classes)
            raise BadData(f"data.{purpose}: class '{name}' is not among the classes of data.train{near}")
        columns[code] = task.classes.index(name)
    return columns
