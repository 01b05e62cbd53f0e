"""Check that the components of an experiment support the task, which is known once the data is read."""

from ftaug.config.build import in_order
from ftaug.config.experiment import Experiment
from ftaug.config.task_fit import misfits
from ftaug.errors import ExperimentError, Problem
from ftaug.interfaces.data import Task


def check(experiment: Experiment, task: Task) -> None:
    """Raise ExperimentError with a problem for each component that does not support the task."""
    problems = [Problem(misfit.message, misfit.place) for misfit in misfits(experiment, (task.kind,))]
    if problems:
        raise ExperimentError(*in_order(problems))
