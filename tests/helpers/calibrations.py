"""Overconfident logits of validation samples, and a trained model that predicts them."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from ftaug.engine.loading.split import DataSplit
from ftaug.interfaces.data import Task


@dataclass
class Named:
    """Samples with numbers as keys."""

    count: int
    groups: np.ndarray | None = None

    def __len__(self):
        return self.count

    def name(self, index):
        return f"picture {index}"


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def overconfident(n=600, classes=4, factor=3.0, seed=0):
    """Logits three times as large as those that the classes are drawn from: float32 (n, classes), and the classes."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)) * 1.5
    targets = (softmax(logits).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=classes - 1)
    return (factor * logits).astype(np.float32), targets


def labeled(n=600, factor=3.0, seed=0):
    """The same of three labels, each present by its own chance."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, 3)) * 1.5
    targets = (rng.random((n, 3)) < 1 / (1 + np.exp(-logits))).astype(np.uint8)
    return (factor * logits).astype(np.float32), targets


def opened_run(logits, targets, *, task=None, activation="softmax", groups=None, splits=("val",)):
    """A trained model with these logits of its validation samples."""
    task = task or Task(tuple(f"class {i}" for i in range(logits.shape[1])))
    data = DataSplit("val", Named(len(logits), groups), np.arange(len(logits)), targets, task)
    return SimpleNamespace(
        folder=Path("runs/a"),
        checkpoint=Path("runs/a/checkpoints/step-0000010"),
        task=task,
        activation=activation,
        splits=dict.fromkeys(splits, data),
        calibration=None,
        logits=lambda split: logits,
    )
