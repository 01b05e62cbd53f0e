"""Learning from another model's answers beside the labels (Hinton et al. 2015)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import kl_div, logsigmoid

from ftaug.config.experiment import Distil
from ftaug.engine.training.evaluate import at_least_float32

TEMPERATURE = 2.0

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Teacher:
    """A model that answers the batches of training, and does not learn."""

    model: nn.Module  # in eval mode; from a batch as the student takes it to logits in the student's order

    def __post_init__(self) -> None:
        self.model.eval().requires_grad_(False)

    @torch.no_grad()
    def logits(self, inputs: Any) -> Tensor:
        """What it says: float32 (batch, classes), in regression float64."""
        answer: Tensor = self.model(inputs)
        return at_least_float32(answer)


def distillation_loss(
    distil: Distil, activation: str, loss: Loss, logits: Tensor, targets: Tensor, teacher: Tensor
) -> Tensor:
    """(1 − w) · loss of the labels + w · how far the logits are from the teacher's: T² · KL(teacher ‖ student).

    Sigmoids are compared class by class, and summed over the classes. Numbers have no KL: there the distance is the
    loss with what the teacher says as targets.
    """
    if activation == "identity":
        distance = loss(logits, teacher)
    else:
        heat = TEMPERATURE if distil.temperature is None else distil.temperature
        distance = heat**2 * _divergence(activation, logits.float() / heat, teacher / heat)
    own = loss(logits, targets)
    return (1 - distil.weight) * own + distil.weight * distance


def _divergence(activation: str, student: Tensor, teacher: Tensor) -> Tensor:
    if activation == "softmax":
        said, wanted = student.log_softmax(dim=1), teacher.log_softmax(dim=1)
    else:
        said = torch.stack([logsigmoid(student), logsigmoid(-student)])
        wanted = torch.stack([logsigmoid(teacher), logsigmoid(-teacher)])
    return kl_div(said, wanted, reduction="sum", log_target=True) / len(student)
