"""The model of a run for explainers: in fp32, and with re-drawn weights to test them."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.engine.loading.prepare import modality_of
from ftaug.engine.training.evaluate import at_least_float32, probabilities
from ftaug.engine.training.state import Model
from ftaug.interfaces.explanation import ExplainedOutput
from ftaug.interfaces.model import Stage
from ftaug.runs.trained_model import TrainedModel

HALF = (torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class ExplainedModel:
    """A model in fp32 and eval mode, of which any output can be explained.

    `to_inputs` maps a collated batch to what is explained, the inputs of `model`.
    """

    model: Model
    stages: Sequence[Stage]
    activation: str
    batch_size: int
    to_inputs: nn.Module = field(default_factory=nn.Identity)

    @classmethod
    def of(cls, opened: TrainedModel) -> "ExplainedModel":
        """Return the model of a run; weights in half precision are converted in a copy."""
        tensors = [*opened.model.parameters(), *opened.model.buffers()]
        model = _in_fp32(opened.model) if any(tensor.dtype in HALF for tensor in tensors) else opened.model
        return cls(model.eval(), opened.stages, opened.activation, opened.batch_size)

    @classmethod
    def for_explainers(cls, opened: TrainedModel) -> "ExplainedModel":
        """Return the model of a run from what is explained of a sample, such as its spectrogram."""
        whole = cls.of(opened)
        if not modality_of(opened.experiment).explanation.on_normalized:
            return whole
        rest = Model(nn.Identity(), whole.model.network, whole.model.units)
        return replace(whole, model=rest.eval(), to_inputs=whole.model.normalizer)

    @torch.no_grad()
    def inputs(self, batch: Tensor) -> Tensor:
        """Return what is explained of a collated batch."""
        return cast(Tensor, self.to_inputs(batch))

    def output(self, index: int) -> ExplainedOutput:
        """Return one of its outputs, to be explained."""
        return ExplainedOutput(
            self.model, self.model.network, tuple(self.stages), self.activation, index, self.batch_size
        )

    @torch.inference_mode()
    def predict(self, batch: Tensor) -> np.ndarray:
        """Predict probabilities of `inputs`, in regression numbers, in fp32: (n, classes)."""
        parts = (batch[start : start + self.batch_size] for start in range(0, len(batch), self.batch_size))
        logits = [at_least_float32(self.model(part)).cpu() for part in parts]
        return probabilities(torch.cat(logits).numpy(), self.activation)

    def with_redrawn_weights(self, seed: int) -> "ExplainedModel":
        """Return a copy whose weights are permuted at random, each tensor by itself; norms and biases stay."""
        model = copy.deepcopy(self.model)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.ndim > 1:
                    order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
                    parameter.copy_(parameter.flatten()[order].view_as(parameter))
        return replace(self, model=model)

    def digest(self) -> str:
        """Return a SHA-256 digest of the weights."""
        total = sha256()
        for name, tensor in self.model.state_dict().items():
            total.update(name.encode())
            total.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
        return total.hexdigest()


def _in_fp32(model: Model) -> Model:
    model = copy.deepcopy(model)
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.dtype in HALF:
                setattr(module, name, nn.Parameter(parameter.detach().float(), requires_grad=False))
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.dtype in HALF:
                setattr(module, name, buffer.float())
    return model
