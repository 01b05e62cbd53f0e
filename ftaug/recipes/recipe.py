"""What is known of a dataset, and the settings chosen for it, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ftaug.errors import BadData
from ftaug.interfaces.data import Task, TaskKind

IMBALANCED = 3
"""From this ratio of the largest class to the smallest on, classes get weights."""


class Choice(NamedTuple):
    """A value of an experiment file, as plain YAML data, and why it was chosen."""

    value: Any
    reason: str


class Model(NamedTuple):
    """A backbone as it stands in the experiment file."""

    name: str
    settings: Mapping[str, Any]  # those that are written

    @property
    def value(self) -> Any:
        """The value of `backbone`."""
        return {self.name: dict(self.settings)} if self.settings else self.name

    @property
    def pretrained(self) -> bool:
        """Whether it starts from weights."""
        return self.settings.get("weights") != "none"


@dataclass(frozen=True)
class Facts:
    """What a recipe is chosen by."""

    kind: TaskKind
    samples: int  # for training
    counts: Mapping[str, int] = field(default_factory=dict)  # training samples of each class; empty in regression
    model: Model | None = None  # the backbone, where one was requested

    @property
    def per_class(self) -> float:
        """The training samples of a class, on average; in regression all of them."""
        return self.samples / max(1, len(self.counts))

    @property
    def imbalance(self) -> float:
        """How many times as many samples the largest class has as the smallest; 1 without exclusive classes."""
        if self.kind != "single_label":
            return 1.0
        return max(self.counts.values()) / max(1, min(self.counts.values()))

    @property
    def imbalanced(self) -> bool:
        """Whether the classes need weights."""
        return self.imbalance >= IMBALANCED


@dataclass(frozen=True)
class Recipe:
    """The settings of an experiment beside its data, in the order of the file; None and nothing are left out."""

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
    """The loss that the task or the imbalance of its classes asks for, if any; `noun` is what a sample is called."""
    if facts.kind == "regression":
        return Choice("huber", "for numbers; outliers count less than with squared_error")
    if facts.kind == "multi_label":
        return Choice("binary_cross_entropy", f"a {noun} has any number of labels")
    if facts.imbalanced:
        why = f"the largest class is {facts.imbalance:.0f} times the smallest"
        return Choice({"cross_entropy": {"class_weights": "balanced"}}, why)
    return None


def by_size(table: Sequence[tuple[int, int]], samples: int, largest: int) -> int:
    """The value for so many samples: that of the first limit which holds them, else the one for the largest sets."""
    return next((value for limit, value in table if samples <= limit), largest)


def class_counts(task: Task, targets: np.ndarray) -> dict[str, int]:
    """The samples of each class, with several labels a sample too; none in regression. Raises BadData for one class."""
    if task.regression:
        return {}
    if not task.multi_label and len(task.classes) == 1:
        raise BadData(f"only one class, '{task.classes[0]}', for training; classification needs at least two")
    sums = targets.sum(axis=0) if task.multi_label else [(targets == code).sum() for code in range(len(task.classes))]
    return {name: int(count) for name, count in zip(task.classes, sums, strict=True)}
