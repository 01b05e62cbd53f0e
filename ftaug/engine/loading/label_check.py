"""What the names of the classes say of how the labels were read: known only once the data are."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ftaug.config.experiment import Experiment
from ftaug.data import names
from ftaug.interfaces.data import Task

if TYPE_CHECKING:
    from ftaug.engine.loading.split import DataSplit

FEWEST_SAMPLES = 8
"""Fewer say nothing of how many classes there are among them."""

SEPARATORS = ("|", ";", ",")


def cautions(experiment: Experiment, train: "DataSplit") -> Iterator[str]:
    """Labels that look like numbers, like names of samples, like several labels in one, or like missing values."""
    task = train.task
    if task.regression:
        return
    settings = experiment.data.train.settings
    yield from (f"train: {text}" for text in looks_like(task, train.counts(), settings))
    if missing := [name for name in task.classes if names.is_missing(name) and name != "none"]:
        count = int(train.counts()[task.classes.index(missing[0])])
        yield f"train: the class '{missing[0]}' ({count:,} sample{'s' * (count != 1)}) looks like a missing value"
    if settings.get("classes") is None:
        yield from _order(experiment, task.classes, can_be_set="classes" in settings)


def looks_like(task: Task, counts: np.ndarray, settings: Mapping[str, Any]) -> list[str]:
    """What the classes seem to be, if not classes: several labels in one, numbers, or names of samples."""
    numbers = names.are_numbers(name.replace(",", ".") for name in task.classes)
    many = list(_many_classes(task.classes, counts, settings, numbers=numbers)) if not task.multi_label else []
    return many if many and numbers else list(_joined_names(task.classes, settings)) or many


def _many_classes(
    classes: tuple[str, ...], counts: np.ndarray, settings: Mapping[str, Any], *, numbers: bool
) -> Iterator[str]:
    """A class for nearly every sample: a number to predict, or the name of the sample."""
    here, samples = np.flatnonzero(counts), int(counts.sum())
    if samples < FEWEST_SAMPLES or len(here) <= samples / 2:
        return
    such = ", ".join(f"'{classes[code]}'" for code in here[:3])
    text = f"{len(here):,} classes for {samples:,} samples, such as {such}"
    if numbers:
        remedy = "set target in place of label" if "target" in settings else "list them in a table"
        yield f"{text}: they look like numbers to predict; for regression {remedy}"
    else:
        yield f"{text}: they look like names or texts rather than classes"


def _joined_names(classes: tuple[str, ...], settings: Mapping[str, Any]) -> Iterator[str]:
    """Classes such as `a|b` and `b|c`, whose parts come again."""
    for mark in SEPARATORS:
        several = [name for name in classes if mark in name]
        parts = Counter(names.normalized(part) for name in classes for part in name.split(mark))
        of_several = {names.normalized(part) for name in several for part in name.split(mark)} - {""}
        again = sum(parts[part] > 1 for part in of_several)
        if mark != settings.get("labels_separator") and len(several) > 1 and again > len(of_several) / 2:
            what = f"such as '{several[0]}' and '{several[1]}'"
            remedy = f'set labels_separator: "{mark}"' if "labels_separator" in settings else "list them in a table"
            yield (
                f"{len(several):,} of {len(classes):,} classes look like several labels in one, {what}; "
                f"for several labels a sample {remedy}"
            )
            return


def _order(experiment: Experiment, classes: tuple[str, ...], *, can_be_set: bool) -> Iterator[str]:
    """Classes that a loss or a metric takes for steps of a scale, and that stand in the order of their names."""
    uses = [part.name for part in (experiment.loss, *experiment.evaluate.metrics) if part.fact("ordered")]
    if not uses or names.are_numbers(classes) or names.ordered(classes) != [*classes]:
        return
    listed = " < ".join(classes[:8]) + (" < …" if len(classes) > 8 else "")
    how = "set classes" if can_be_set else "rename the folders"
    yield f"train: {uses[0]} takes the classes in the order of their names, {listed}; {how} if their scale is another"
