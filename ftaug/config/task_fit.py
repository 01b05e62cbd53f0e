"""Possible tasks of an experiment, the components that fit a task, and its default loss and metrics.

Exact match, which is what `accuracy` means with several labels a sample, stays at 0 for most of a short run, and F1 at
a threshold of 1/2 is 0 for rare labels until late. Average precision needs no threshold and moves from the first step.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from ftaug.config.experiment import Experiment
from ftaug.config.kinds import ANY_TASK
from ftaug.config.registry import Component, nested, registry
from ftaug.config.schema import component_named
from ftaug.config.wording import dotted
from ftaug.config.yaml_document import Where
from ftaug.errors import ExperimentError, Place, one_of
from ftaug.interfaces.data import TaskKind

TARGETS: dict[TaskKind, str] = {
    "single_label": "one class a sample",
    "multi_label": "any number of classes a sample",
    "regression": "numbers",
}
"""What the samples of a task have, for error messages."""


class TaskDefaults(NamedTuple):
    """Default loss and metrics of a task; the first metric selects the best checkpoint."""

    loss: str
    metrics: Mapping[str, Mapping[str, Any]]  # by name, the settings
    reason: str


DEFAULTS: dict[TaskKind, TaskDefaults] = {
    "single_label": TaskDefaults("cross_entropy", {"accuracy": {}}, "one class a sample"),
    "multi_label": TaskDefaults(
        "binary_cross_entropy",
        {"average_precision": {}, "f1": {"average": "micro"}},
        "several labels a sample: it needs no threshold",
    ),
    "regression": TaskDefaults("mse", {"rmse": {}, "mae": {}}, "numbers: in their units"),
}


def possible_tasks(dataset: Component) -> tuple[TaskKind, ...]:
    """Return the possible tasks of a dataset by its settings alone; raises ExperimentError for conflicting settings."""
    tasks = dataset.fact("tasks")
    kinds: tuple[TaskKind, ...] = tasks(dataset) if callable(tasks) else tasks
    return kinds


def tasks_of(experiment: Experiment) -> tuple[TaskKind, ...]:
    """Return the possible tasks of an experiment, as far as known from the file alone."""
    dataset = experiment.data.train
    try:
        return possible_tasks(dataset) if dataset.name else ANY_TASK  # no name: a stand-in for one that is faulty
    except ExperimentError:  # which a check of its own reports
        return ANY_TASK


def default_loss(experiment: Experiment) -> bool:
    """Whether the file names no loss."""
    return experiment.loss.place is None


def default_metrics(experiment: Experiment) -> bool:
    """Whether the file names no metric."""
    metrics = experiment.evaluate.metrics
    return bool(metrics) and all(metric.place is None for metric in metrics)


def labels_learned(experiment: Experiment) -> bool:
    """Whether the network learns the labels of the samples, so that it predicts them."""
    return experiment.objective is None or bool(experiment.objective.fact("learns_targets"))


def with_task_defaults(experiment: Experiment, kind: TaskKind) -> Experiment:
    """Fill in the task's default loss and metrics if the file names none; `best: loss` stays."""
    defaults = DEFAULTS[kind]
    if default_loss(experiment) and experiment.loss.name != defaults.loss:
        experiment = replace(experiment, loss=component_named("loss", defaults.loss, experiment.modality))
    evaluate = experiment.evaluate
    if default_metrics(experiment) and [metric.name for metric in evaluate.metrics] != [*defaults.metrics]:
        metrics = tuple(
            component_named("metric", name, experiment.modality, settings)
            for name, settings in defaults.metrics.items()
        )
        best = evaluate.best if evaluate.best == "loss" else metrics[0].name
        experiment = replace(experiment, evaluate=replace(evaluate, metrics=metrics, best=best))
    return experiment


class Misfit(NamedTuple):
    """A component or setting that does not fit the task."""

    where: Where
    place: Place | None
    message: str


def misfits(experiment: Experiment, kinds: Collection[TaskKind]) -> Iterator[Misfit]:
    """Find components and settings that fit none of the possible tasks, with alternatives."""
    parts: list[tuple[Where, Component | None]] = [
        (("loss",), experiment.loss),
        (("objective",), experiment.objective),
        (("data", "sampler"), experiment.data.sampler),
    ]
    parts += [(("evaluate", "metrics", index), metric) for index, metric in enumerate(experiment.evaluate.metrics)]
    parts += [(("mix", *way[:-1]), component) for way, component in nested(experiment.mix)]
    for where, component in parts:
        if component is not None and not set(kinds) & set(component.fact("tasks")):
            made_for, there = (one_of([TARGETS[kind] for kind in some]) for some in (component.fact("tasks"), kinds))
            text = f"{component.name} is for {made_for}, but data.train has {there}"
            key = dotted(where[:1] if where[0] == "mix" else where)
            yield Misfit(where, component.place, f"{key}: {text}; {_remedy(component, experiment.modality, kinds)}")
    distillation = experiment.distillation
    if set(kinds) == {"regression"} and distillation is not None and distillation.temperature is not None:
        text = "distillation.temperature: softens probabilities, but data.train has numbers; leave it out"
        yield Misfit(("distillation", "temperature"), distillation.place, text)
    if experiment.evaluate.thresholds is not None and "multi_label" not in kinds:
        there = one_of([TARGETS[kind] for kind in kinds])
        text = f"evaluate.thresholds: are for {TARGETS['multi_label']}, but data.train has {there}; leave them out"
        yield Misfit(("evaluate", "thresholds"), None, text)


def _remedy(component: Component, modality: str, kinds: Collection[TaskKind]) -> str:
    entries = registry(component.kind, modality)
    fitting = [
        name
        for name, entry in ((name, entries[name]) for name in entries)
        if set(kinds) & set(entry.facts["tasks"])
        and entry.facts.get("learns_targets", True)
        and not (entry.facts.get("ordered") or entry.settings().keys() & {"choices"})
    ]
    return f"use {one_of(fitting)}" if fitting and not entries.prefixes else "leave it out"
