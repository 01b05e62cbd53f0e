"""The outputs of an exported model: probabilities and logits, or regression predictions."""

from torch import Tensor, nn

from ftaug.engine.training.evaluate import at_least_float32


class ActivatedModel(nn.Module):
    """Wrap a model with its activation (softmax or sigmoid), for export."""

    def __init__(self, model: nn.Module, activation: str) -> None:
        super().__init__()
        self.model = model
        self.activation = activation

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Return probabilities and logits, both (batch, classes); in regression only the predictions."""
        logits = at_least_float32(self.model(inputs))
        if self.activation == "identity":
            return (logits,)
        probabilities = logits.softmax(dim=1) if self.activation == "softmax" else logits.sigmoid()
        return probabilities, logits
