"""The outputs of an exported model: probabilities and logits, or regression predictions."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from ftaug.engine.training.evaluate import at_least_float32


class ActivatedModel(nn.Module):
    """Wrap a model with the calibration of its logits and its activation (softmax or sigmoid), for export."""

    scale: Tensor | None
    bias: Tensor | None

    def __init__(
        self, model: nn.Module, activation: str, calibration: Mapping[str, Sequence[float]] | None = None
    ) -> None:
        """`calibration` has the `scale` and the `bias` of the logits, one number or one a class."""
        super().__init__()
        self.model = model
        self.activation = activation
        for name in ("scale", "bias"):
            values = None if calibration is None else torch.tensor(calibration[name], dtype=torch.float32)
            self.register_buffer(name, values, persistent=False)

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Return probabilities and uncalibrated logits, both (batch, classes); in regression only the predictions."""
        logits = at_least_float32(self.model(inputs))
        if self.activation == "identity":
            return (logits,)
        calibrated = logits if self.scale is None or self.bias is None else logits * self.scale + self.bias
        probabilities = calibrated.softmax(dim=1) if self.activation == "softmax" else calibrated.sigmoid()
        return probabilities, logits
