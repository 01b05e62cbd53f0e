"""Load the teacher of a knowledge distillation from another run, adapted to this run's preprocessing."""

from ftaug.config.experiment import Distillation, Experiment
from ftaug.config.wording import listed
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.system.device import Device
from ftaug.engine.training.distillation import Teacher
from ftaug.engine.training.state import Model
from ftaug.errors import ExperimentError, MissingInput, Problem
from ftaug.interfaces.data import Task
from ftaug.interfaces.model import Backbone
from ftaug.runs.open_run import open_run
from ftaug.runs.trained_model import TrainedModel


def teacher_of(experiment: Experiment, task: Task, backbone: Backbone, device: Device) -> Teacher | None:
    """Load the teacher of the experiment, if any; raises ExperimentError for a different task, MissingInput."""
    distillation = experiment.distillation
    if distillation is None:
        return None
    if not (distillation.teacher / "best").is_dir():
        at = f"{distillation.place}: " if distillation.place else ""
        raise MissingInput(
            f"{at}distillation.teacher: {distillation.teacher} is not a run folder with a best checkpoint"
        )
    opened = open_run(distillation.teacher, str(device.torch))
    if reason := _difference(opened, experiment, task):
        raise ExperimentError(Problem(f"distillation.teacher: {reason}", distillation.place))
    return Teacher(_translating(opened, distillation, experiment, backbone).to(device.torch))


def _difference(opened: TrainedModel, experiment: Experiment, task: Task) -> str:
    """Describe how the teacher's task differs from the student's; empty if they are equal."""
    theirs, modality = opened.task, opened.experiment.modality
    if modality != experiment.modality:
        return f"was trained on modality {modality}; this experiment has {experiment.modality}"
    if theirs == task:
        return ""
    if theirs.kind != task.kind:
        return f"its task is {theirs.kind.replace('_', ' ')}, and this one's is {task.kind.replace('_', ' ')}"
    difference = f"its classes are {listed(theirs.classes, 8)}, and those of data.train {listed(task.classes, 8)}"
    return f"{difference}; they must be the same, in the same order"


def _translating(opened: TrainedModel, distillation: Distillation, experiment: Experiment, backbone: Backbone) -> Model:
    """Build the teacher's model with an input layer that converts the student's preprocessing to the teacher's."""
    try:
        normalizer = modality_of(experiment).translator(backbone.preprocessing, opened.preprocessing)
    except ExperimentError as error:
        raise ExperimentError(Problem(f"distillation.teacher: {error}", distillation.place)) from None
    return Model(normalizer, opened.model.network, opened.model.units)
