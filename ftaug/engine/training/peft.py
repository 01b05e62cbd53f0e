"""A method applied to a network: what it adds, learns and keeps."""

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ftaug.config.experiment import Experiment
from ftaug.engine.loading import seeds
from ftaug.engine.training.unfreeze import Plan, ever_learning, frozen_tensors
from ftaug.errors import ExperimentError
from ftaug.interfaces.model import Adapter, Backbone, PeftModel, TrainingLength
from ftaug.weights import digest_of


def adapt(backbone: Backbone, experiment: Experiment) -> PeftModel:
    """Apply the experiment's method, if it has one, in place; raises ExperimentError where it does not fit."""
    if experiment.method is None:
        return PeftModel()
    torch.manual_seed(seeds.word(f"{experiment.seed}/method") >> 1)
    adapted: PeftModel = experiment.method(backbone, ever_learning(backbone, experiment))
    return adapted


def restore(adapted: PeftModel, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give a method what a checkpoint kept for it, in the layout of the parameters that it is about."""
    parameters = dict(network.named_parameters())
    for name, tensor in tensors.items():
        adapted.state[name] = torch.empty_like(parameters[name], requires_grad=False).copy_(tensor)


def require_reached(adapted: PeftModel, network: nn.Module) -> None:
    """Raise ExperimentError where the loss does not depend on something that a method added."""
    parameters = dict(network.named_parameters())
    for name, beside in adapted.parameters.items():
        if parameters[name].grad is None:
            layer = beside.rpartition(".")[0]
            raise ExperimentError(f"method: {layer} is not called when the network runs; name others as targets")


def adapter_of(model: nn.Module, plan: Plan, length: TrainingLength, method: Any) -> Adapter:
    """Part a trained model into what learned and the digest of what did not; `method` is as the file has it."""
    network = model.get_submodule("network")
    frozen = frozen_tensors(network, plan, length.total_steps).keys()
    state = network.state_dict()
    learned = {name: tensor for name, tensor in state.items() if name not in frozen}
    base = digest_of({name: tensor for name, tensor in state.items() if name in frozen})

    def applied(tensors: Mapping[str, Tensor]) -> nn.Module:
        whole = copy.deepcopy(model).eval()
        with torch.no_grad():
            for name in learned:
                whole.get_submodule("network").state_dict()[name].zero_()
        whole.get_submodule("network").load_state_dict(tensors, strict=False)
        return whole

    return Adapter(learned, base, method, applied)
