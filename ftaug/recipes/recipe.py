"""Dataset facts, and the hyperparameters chosen from them, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ftaug.errors import BadData
from ftaug.interfaces.data import Task, TaskKind

IMBALANCED = 3
"""Ratio of largest to smallest class from which on class weights are used."""


class Choice(NamedTuple):
    """A setting's value, as plain YAML data, with the reason for it."""

    value: Any
    reason: str


class Model(NamedTuple):
    """A backbone and its settings in the experiment file."""

    name: str
    settings: Mapping[str, Any]  # explicit settings only

    @property
    def value(self) -> Any:
        """Value of the key `backbone`."""
        return {self.name: dict(self.settings)} if self.settings else self.name

    @property
    def pretrained(self) -> bool:
        """Whether it is initialized from pretrained weights."""
        return self.settings.get("weights") != "none"


@dataclass(frozen=True)
class Facts:
    """Facts of the training set that determine the hyperparameters."""

    kind: TaskKind
    samples: int  # number of training samples
    counts: Mapping[str, int] = field(default_factory=dict)  # training samples per class; empty in regression
    model: Model | None = None  # requested backbone, if any

    @property
    def per_class(self) -> float:
        """Mean number of training samples per class; in regression, all samples."""
        return self.samples / max(1, len(self.counts))

    @property
    def imbalance(self) -> float:
        """Ratio of largest to smallest class; 1 unless single-label."""
        if self.kind != "single_label":
            return 1.0
        return max(self.counts.values()) / max(1, min(self.counts.values()))

    @property
    def imbalanced(self) -> bool:
        """Whether the class imbalance calls for class weights."""
        return self.imbalance >= IMBALANCED


@dataclass(frozen=True)
class Recipe:
    """Settings of an experiment except its data, in file order; None and empty values are omitted."""

    batch_size: Choice
    backbone: Choice
    unfreeze: Choice
    augment: tuple[Choice, ...]
    loss: Choice | None
    optimizer: Choice
    lr: Mapping[str, Choice]
    train: Mapping[str, Choice]
    evaluate: Mapping[str, Choice]


SMOOTHED = Choice({"cross_entropy": {"label_smoothing": 0.1}}, "smoothing keeps the model from being overconfident")


def loss_by_task(facts: Facts, noun: str) -> Choice | None:
    """Choose a loss by task and class imbalance; None: the default. `noun` is the word for a sample."""
    if facts.kind == "regression":
        return Choice("huber", "for numbers; outliers count less than with mse")
    if facts.kind == "multi_label":
        return Choice("binary_cross_entropy", f"a {noun} has any number of labels")
    if facts.imbalanced:
        why = f"the largest class is {facts.imbalance:.0f} times the smallest"
        return Choice({"cross_entropy": {"class_weights": "balanced"}}, why)
    return None


def evaluation_by_task(facts: Facts) -> dict[str, Choice]:
    """Choose when to evaluate, the metrics, and the one that chooses the best checkpoint."""
    if facts.kind == "regression":
        metrics, best, why = ["rmse", "mae", "r2", "spearman"], "rmse", "in the unit of the numbers; lower is better"
    elif facts.kind == "multi_label":
        metrics, best, why = ["f1", "average_precision", "accuracy"], "f1", "counts rare labels as much as common ones"
    elif facts.imbalanced:
        metrics, best = ["balanced_accuracy", "accuracy", "f1"], "balanced_accuracy"
        why = "counts every class alike, however small"
    else:
        metrics, best, why = ["accuracy", "f1"], "accuracy", "the classes are of similar size"
    return {
        "every": Choice("1 epoch", "on the validation split"),
        "metrics": Choice(metrics, "all of them: ftaug list metric"),
        "best": Choice(best, why),
    }


def by_size(table: Sequence[tuple[int, int]], samples: int, largest: int) -> int:
    """Look up a value by dataset size: that of the first limit >= samples, else `largest`."""
    return next((value for limit, value in table if samples <= limit), largest)


def class_counts(task: Task, targets: np.ndarray) -> dict[str, int]:
    """Count samples per class, also multi-label; empty in regression. Raises BadData for a single class."""
    if task.regression:
        return {}
    if not task.multi_label and len(task.classes) == 1:
        raise BadData(f"only one class, '{task.classes[0]}', for training; classification needs at least two")
    sums = targets.sum(axis=0) if task.multi_label else [(targets == code).sum() for code in range(len(task.classes))]
    return {name: int(count) for name, count in zip(task.classes, sums, strict=True)}
