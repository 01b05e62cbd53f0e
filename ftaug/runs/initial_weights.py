"""Rebuild the initial weights of a run from its experiment: no run folder stores them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from ftaug.config.experiment import Experiment
from ftaug.engine.training import head_init
from ftaug.engine.training.build import build_model
from ftaug.engine.training.peft import adapt
from ftaug.engine.training.target_scaling import TargetScaler
from ftaug.experiment_file import load
from ftaug.interfaces.data import Task
from ftaug.interfaces.model import Stage
from ftaug.runs.trained_model import TrainedModel


@dataclass(frozen=True)
class InitialWeights:
    """The weights before the first step, on the CPU, with those of a PEFT method merged."""

    weights: Mapping[str, Tensor]
    stages: Sequence[Stage]
    own_head: bool  # whether the pretrained weights include the head


def initial_weights(experiment: Experiment, task: Task, scale: TargetScaler | None) -> InitialWeights:
    """Build the initial weights of a training; may download, and raises what loading pretrained weights raises."""
    backbone, model = build_model(experiment, task, scale)
    own_head = not head_init.load_weights(backbone, len(task.classes)).new_layers
    method = adapt(backbone, experiment)
    method.start()
    method.merge()
    return InitialWeights(_copied(model.network.state_dict()), backbone.stages, own_head)


def initial_weights_of(opened: TrainedModel, *, trust_plugins: bool) -> InitialWeights:
    """Rebuild the initial weights of a trained model from its run folder."""
    experiment = load(opened.folder / "resolved.yaml", trust_plugins=trust_plugins)
    return initial_weights(experiment, opened.task, opened.scale)


def weights_of(opened: TrainedModel) -> dict[str, Tensor]:
    """Copy a run's trained weights to the CPU, with those of its PEFT method merged."""
    return _copied(opened.model.network.state_dict())


def _copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
