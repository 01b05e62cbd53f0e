"""Whether the components of an experiment fit what its data are to tell: known only once the data are."""

from collections.abc import Iterator

from ftaug.config.experiment import Experiment
from ftaug.config.reading import in_order
from ftaug.config.registry import Component, nested, registry
from ftaug.errors import ExperimentError, Problem, one_of
from ftaug.interfaces import Task, TaskKind

TOLD: dict[TaskKind, str] = {
    "single_label": "one class a sample",
    "multi_label": "any number of classes a sample",
    "regression": "numbers",
}


def check(experiment: Experiment, task: Task) -> None:
    """Raise ExperimentError with every component that does not fit the task, each with those that do."""
    parts = [("loss", experiment.loss), ("objective", experiment.objective), ("data.sampler", experiment.data.sampler)]
    parts += [(f"evaluate.metrics.{index}", metric) for index, metric in enumerate(experiment.evaluate.metrics)]
    parts += [("mix", component) for _, component in nested(experiment.mix)]
    problems = [
        Problem(f"{key}: {_unfit(component, experiment.modality, task.kind)}", component.place)
        for key, component in parts
        if component is not None and task.kind not in _tasks(component)
    ]
    if problems:
        raise ExperimentError(*in_order(problems))
    _check_temperature(experiment, task)


def _check_temperature(experiment: Experiment, task: Task) -> None:
    distil = experiment.distil
    if task.regression and distil is not None and distil.temperature is not None:
        text = "distil.temperature: softens probabilities, and data.train has numbers; leave it out"
        raise ExperimentError(Problem(text, distil.place))


def _tasks(component: Component) -> tuple[TaskKind, ...]:
    found: tuple[TaskKind, ...] = component.fact("tasks")
    return found


def _unfit(component: Component, modality: str, kind: TaskKind) -> str:
    made_for = " or ".join(TOLD[one] for one in _tasks(component))
    return f"{component.name} is for {made_for}, and data.train has {TOLD[kind]}; {_remedy(component, modality, kind)}"


def _remedy(component: Component, modality: str, kind: TaskKind) -> str:
    known = registry(component.kind, modality)
    fitting = list(_fitting(component, modality, kind)) if not known.prefixes else []
    return f"use {one_of(fitting)}" if fitting else "leave it out"


def _fitting(component: Component, modality: str, kind: TaskKind) -> Iterator[str]:
    known = registry(component.kind, modality)
    for name in known:
        entry = known[name]
        if kind in entry.facts["tasks"] and not (entry.facts.get("ordered") or entry.settings().keys() & {"choices"}):
            yield name
