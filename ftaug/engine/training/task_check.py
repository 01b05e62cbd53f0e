"""Whether the components of an experiment fit the task of its data, where the file alone did not say."""

from ftaug.config.build import in_order
from ftaug.config.experiment import Experiment
from ftaug.config.task_fit import misfits
from ftaug.errors import ExperimentError, Problem
from ftaug.interfaces.data import Task


def check(experiment: Experiment, task: Task) -> None:
    """Raise ExperimentError with every component that does not fit the task, each with those that do."""
    problems = [Problem(misfit.message, misfit.place) for misfit in misfits(experiment, (task.kind,))]
    if problems:
        raise ExperimentError(*in_order(problems))
