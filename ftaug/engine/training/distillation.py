"""Knowledge distillation: train on a teacher's logits beside the labels (Hinton et al. 2015)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import kl_div, logsigmoid

from ftaug.config.experiment import Distillation
from ftaug.engine.training.evaluate import at_least_float32

TEMPERATURE = 2.0

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Teacher:
    """A frozen teacher model that predicts the logits of training batches."""

    model: nn.Module  # from the student's input batch to logits in the student's class order

    def __post_init__(self) -> None:
        self.model.eval().requires_grad_(False)

    @torch.no_grad()
    def logits(self, inputs: Any) -> Tensor:
        """Return the teacher's logits: float32 (batch, classes), in regression float64."""
        logits: Tensor = self.model(inputs)
        return at_least_float32(logits)


def distillation_loss(
    distillation: Distillation, activation: str, loss: Loss, logits: Tensor, targets: Tensor, teacher: Tensor
) -> Tensor:
    """Compute the distillation loss: (1 − w) · loss of the labels + w · T² · KL(teacher ‖ student).

    With sigmoids the KL divergence is computed class by class and summed. Regression has none: there the distance is
    the loss with the teacher's predictions as targets.
    """
    if activation == "identity":
        distance = loss(logits, teacher)
    else:
        temperature = TEMPERATURE if distillation.temperature is None else distillation.temperature
        distance = temperature**2 * _divergence(activation, logits.float() / temperature, teacher / temperature)
    label_loss = loss(logits, targets)
    return (1 - distillation.weight) * label_loss + distillation.weight * distance


def _divergence(activation: str, student: Tensor, teacher: Tensor) -> Tensor:
    """Compute the mean KL(teacher ‖ student) over the samples, from logits (batch, classes)."""
    if activation == "softmax":
        student_log, teacher_log = student.log_softmax(dim=1), teacher.log_softmax(dim=1)
    else:
        student_log = torch.stack([logsigmoid(student), logsigmoid(-student)])
        teacher_log = torch.stack([logsigmoid(teacher), logsigmoid(-teacher)])
    return kl_div(student_log, teacher_log, reduction="sum", log_target=True) / len(student)
