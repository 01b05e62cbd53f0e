"""The metrics of an experiment that names none: known only once the data, and with them the task, are.

Exact match, what `accuracy` is with several labels a sample, stays at 0 for most of a short run, and F1 at a threshold
of 1/2 is 0 for rare labels until late; average precision needs no threshold and moves from the first step.
"""

from dataclasses import replace

from ftaug.config.experiment import Experiment
from ftaug.config.schema import component_named
from ftaug.interfaces import Task, TaskKind

DEFAULTS: dict[TaskKind, tuple[str, str]] = {
    "single_label": ("accuracy", "one class a sample"),
    "multi_label": ("average_precision", "several labels a sample: it needs no threshold"),
    "regression": ("rmse", "numbers: in their units"),
}
"""The metric, and why."""


def chosen_by_default(experiment: Experiment) -> bool:
    """Whether the file asks for no metric: one of the default was written nowhere."""
    metrics = experiment.evaluate.metrics
    return bool(metrics) and all(metric.place is None for metric in metrics)


def with_default_metrics(experiment: Experiment, task: Task) -> Experiment:
    """The experiment with the metric that fits the task, where the file asks for none; `best: loss` stays."""
    evaluate, (name, _) = experiment.evaluate, DEFAULTS[task.kind]
    if not chosen_by_default(experiment) or evaluate.metrics[0].name == name:
        return experiment
    best = evaluate.best if evaluate.best == "loss" else name
    metric = component_named("metric", name, experiment.modality)
    return replace(experiment, evaluate=replace(evaluate, metrics=(metric,), best=best))


def reason(experiment: Experiment, task: Task) -> str | None:
    """Why ftaug chose the metrics; None where the file did."""
    return DEFAULTS[task.kind][1] if chosen_by_default(experiment) else None
