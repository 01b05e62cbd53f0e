"""Heuristic checks of class names: detect numbers, names, joined labels or missing values read as classes."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.data import names
from ftaug.interfaces.data import Task

if TYPE_CHECKING:
    from ftaug.engine.loading.split import DataSplit

MIN_SAMPLES = 8
"""Minimum number of samples to compare with the number of classes."""

SEPARATORS = ("|", ";", ",")


def cautions(experiment: Experiment, train: "DataSplit") -> Iterator[str]:
    """Yield warnings for class names that look like numbers, sample names, joined labels or missing values."""
    task, objective = train.task, experiment.objective
    if task.regression or (objective is not None and objective.fact("outputs") is not None):
        return
    settings = experiment.data.train.settings
    yield from (f"train: {text}" for text in looks_like(task, train.counts(), settings))
    if missing := [name for name in task.classes if names.is_missing(name) and name != "none"]:
        count = int(train.counts()[task.classes.index(missing[0])])
        yield f"train: the class '{missing[0]}' ({count:,} sample{'s' * (count != 1)}) looks like a missing value"
    if settings.get("classes") is None:
        yield from _order(experiment, task.classes, can_be_set="classes" in settings)


def looks_like(task: Task, counts: np.ndarray, settings: Mapping[str, Any]) -> list[str]:
    """Describe what the class names look like if not classes: joined labels, numbers or sample names."""
    numbers = names.are_numbers(name.replace(",", ".") for name in task.classes)
    many = list(_many_classes(task.classes, counts, settings, numbers=numbers)) if not task.multi_label else []
    return many if many and numbers else list(_joined_names(task.classes, settings)) or many


def _many_classes(
    classes: tuple[str, ...], counts: np.ndarray, settings: Mapping[str, Any], *, numbers: bool
) -> Iterator[str]:
    """Yield a message if more than half as many classes as samples exist: regression targets or sample names."""
    present, samples = np.flatnonzero(counts), int(counts.sum())
    if samples < MIN_SAMPLES or len(present) <= samples / 2:
        return
    examples = ", ".join(f"'{classes[code]}'" for code in present[:3])
    text = f"{len(present):,} classes for {samples:,} samples, such as {examples}"
    if numbers:
        remedy = "set target in place of label" if "target" in settings else "list them in a table"
        yield f"{text}: they look like numbers to predict; for regression {remedy}"
    else:
        yield f"{text}: they look like names or texts rather than classes"


def _joined_names(classes: tuple[str, ...], settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message if classes look like joined labels, such as `a|b` and `b|c`."""
    for mark in SEPARATORS:
        several = [name for name in classes if mark in name]
        labels = Counter(names.normalized(label) for name in classes for label in name.split(mark))
        of_several = {names.normalized(label) for name in several for label in name.split(mark)} - {""}
        repeated = sum(labels[label] > 1 for label in of_several)
        if mark != settings.get("labels_separator") and len(several) > 1 and repeated > len(of_several) / 2:
            examples = f"such as '{several[0]}' and '{several[1]}'"
            remedy = f'set labels_separator: "{mark}"' if "labels_separator" in settings else "list them in a table"
            yield (
                f"{len(several):,} of {len(classes):,} classes look like several labels in one, {examples}; "
                f"for several labels a sample {remedy}"
            )
            return


def _order(experiment: Experiment, classes: tuple[str, ...], *, can_be_set: bool) -> Iterator[str]:
    """Yield a warning if an ordinal loss or metric is used with classes in alphabetical order."""
    uses = [
        component.name for component in (experiment.loss, *experiment.evaluate.metrics) if component.fact("ordered")
    ]
    if not uses or names.are_numbers(classes) or names.ordered(classes) != [*classes]:
        return
    listed = " < ".join(classes[:8]) + (" < …" if len(classes) > 8 else "")
    how = "set classes" if can_be_set else "rename the folders"
    yield f"train: {uses[0]} takes the classes in the order of their names, {listed}; {how} if their scale is another"
