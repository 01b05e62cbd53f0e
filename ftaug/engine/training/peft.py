"""Apply a parameter-efficient fine-tuning method (PEFT: LoRA, adapters …) and extract what it trained."""

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
    """Apply the experiment's PEFT method to a backbone in place, if any; raises ExperimentError if it does not fit."""
    if experiment.method is None:
        return PeftModel()
    torch.manual_seed(seeds.word(f"{experiment.seed}/method") >> 1)
    adapted: PeftModel = experiment.method(backbone, ever_learning(backbone, experiment))
    return adapted


def restore(adapted: PeftModel, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Restore the state of a PEFT method from a checkpoint, in the memory layout of its parameters."""
    parameters = dict(network.named_parameters())
    for name, tensor in tensors.items():
        adapted.state[name] = torch.empty_like(parameters[name], requires_grad=False).copy_(tensor)


def require_gradients(adapted: PeftModel, network: nn.Module) -> None:
    """Raise ExperimentError if a parameter that the method added received no gradient."""
    parameters = dict(network.named_parameters())
    for name, beside in adapted.parameters.items():
        if parameters[name].grad is None:
            layer = beside.rpartition(".")[0]
            raise ExperimentError(f"method: {layer} is not called when the network runs; name others as targets")


def adapter_of(model: nn.Module, plan: Plan, length: TrainingLength, method: Any) -> Adapter:
    """Extract the trained tensors of a model, and a digest of the frozen ones; `method` is as the YAML file has it."""
    network = model.get_submodule("network")
    frozen = frozen_tensors(network, plan, length.total_steps).keys()
    state = network.state_dict()
    learned = {name: tensor for name, tensor in state.items() if name not in frozen}
    base = digest_of({name: tensor for name, tensor in state.items() if name in frozen})

    def applied(tensors: Mapping[str, Tensor]) -> nn.Module:
        applied_model = copy.deepcopy(model).eval()
        with torch.no_grad():
            for name in learned:  # zeroed, so that tensors left out are seen
                applied_model.get_submodule("network").state_dict()[name].zero_()
        applied_model.get_submodule("network").load_state_dict(tensors, strict=False)
        return applied_model

    return Adapter(learned, base, method, applied)
