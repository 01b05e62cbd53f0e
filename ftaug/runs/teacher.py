"""Load the teacher of a distillation from another run, adapted to this run's preprocessing."""

from pathlib import Path

from ftaug.config.experiment import Experiment
from ftaug.config.wording import listed
from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.system.device import Device
from ftaug.engine.training.distillation import Teacher
from ftaug.engine.training.state import Model
from ftaug.engine.training.teacher_features import FeatureTeacher
from ftaug.errors import ExperimentError, MissingInput, Place, Problem
from ftaug.interfaces.data import Task
from ftaug.interfaces.model import Backbone
from ftaug.runs.open_run import open_run
from ftaug.runs.penultimate_features import FeatureModel, NoFeatures
from ftaug.runs.trained_model import TrainedModel


def teacher_of(experiment: Experiment, task: Task, backbone: Backbone, device: Device) -> Teacher | None:
    """Load the teacher of the experiment, if any; raises ExperimentError for a different task, MissingInput."""
    distillation = experiment.distillation
    if distillation is None:
        return None
    key = "distillation.teacher"
    opened = _open(key, distillation.teacher, distillation.place, device)
    if reason := _difference(opened, experiment, task):
        raise ExperimentError(Problem(f"{key}: {reason}", distillation.place))
    return Teacher(_translating(opened, key, distillation.place, experiment, backbone).to(device.torch))


def feature_teacher_of(experiment: Experiment, backbone: Backbone, device: Device) -> FeatureTeacher | None:
    """Load the teacher of an objective that learns its features, if any; raises ExperimentError, MissingInput."""
    objective = experiment.objective
    if objective is None or "teacher" not in objective.settings:
        return None
    key = f"objective.{objective.name}.teacher"
    opened = _open(key, objective.settings["teacher"], objective.place, device)
    if opened.experiment.modality != experiment.modality:
        raise ExperimentError(Problem(f"{key}: {_other_modality(opened, experiment)}", objective.place))
    model = _translating(opened, key, objective.place, experiment, backbone).to(device.torch)
    try:
        features = FeatureModel.of(model, opened.stages, len(opened.task.classes), device.torch)
    except NoFeatures as reason:
        raise ExperimentError(Problem(f"{key}: its network {reason}", objective.place)) from None
    return FeatureTeacher(model, features.compute)


def _open(key: str, run: Path, place: Place | None, device: Device) -> TrainedModel:
    if not (run / "best").is_dir():
        at = f"{place}: " if place else ""
        raise MissingInput(f"{at}{key}: {run} is not a run folder with a best checkpoint")
    return open_run(run, str(device.torch))


def _difference(opened: TrainedModel, experiment: Experiment, task: Task) -> str:
    """Describe how the teacher's task differs from the student's; empty if they are equal."""
    theirs = opened.task
    if opened.experiment.modality != experiment.modality:
        return _other_modality(opened, experiment)
    if theirs == task:
        return ""
    if theirs.kind != task.kind:
        return f"its task is {theirs.kind.replace('_', ' ')}, and this one's is {task.kind.replace('_', ' ')}"
    difference = f"its classes are {listed(theirs.classes, 8)}, and those of data.train {listed(task.classes, 8)}"
    return f"{difference}; they must be the same, in the same order"


def _other_modality(opened: TrainedModel, experiment: Experiment) -> str:
    return f"was trained on modality {opened.experiment.modality}; this experiment has {experiment.modality}"


def _translating(
    opened: TrainedModel, key: str, place: Place | None, experiment: Experiment, backbone: Backbone
) -> Model:
    """Build the teacher's model with an input layer that converts the student's preprocessing to the teacher's."""
    try:
        normalizer = modality_of(experiment).translator(backbone.preprocessing, opened.preprocessing)
    except ExperimentError as error:
        raise ExperimentError(Problem(f"{key}: {error}", place)) from None
    return Model(normalizer, opened.model.network, opened.model.units)
