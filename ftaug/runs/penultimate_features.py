"""Features of samples by a trained network: the inputs of its output layer, in fp32."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from ftaug.engine.training.head_init import last_layers
from ftaug.engine.training.state import Model
from ftaug.interfaces.model import Stage

MAX_VALUES = 4096
"""Number of values of a sample from which feature maps are averaged over their places."""


class NoFeatures(Exception):
    """Raised for a network without an output layer whose inputs are features; the message is a predicate."""


@dataclass(frozen=True)
class FeatureModel:
    """A model and its output layer."""

    model: Model
    layer: nn.Module
    device: torch.device

    @classmethod
    def of(cls, model: Model, stages: Sequence[Stage], outputs: int, device: torch.device) -> FeatureModel:
        """Find the output layer of a model with this many outputs; raises NoFeatures."""
        layers = last_layers(model.network, stages[-1], outputs) if stages else []
        if not layers:
            raise NoFeatures("has no single layer that computes its outputs")
        return cls(model.eval(), layers[0], device)

    @torch.inference_mode()
    def compute(self, inputs: Tensor) -> np.ndarray:
        """Return the features of a collated batch: float32 (n, values); raises NoFeatures."""
        with self.capturing() as features:
            self.model(inputs.to(self.device))
        return features(len(inputs))

    @contextmanager
    def capturing(self) -> Iterator[Callable[[int], np.ndarray]]:
        """Context manager of one call of the model.

        Yields a function that returns the features of its n inputs afterwards: float32 (n, values); raises NoFeatures.
        """
        captured: list[Tensor] = []

        def features(count: int) -> np.ndarray:
            if len(captured) != 1 or len(captured[0]) != count:
                raise NoFeatures("has an output layer that takes no features of each sample")
            values = captured[0].float()
            if values.ndim > 2 and values[0].numel() > MAX_VALUES:
                values = values.mean(dim=tuple(range(2, values.ndim)))
            return np.asarray(values.flatten(1).cpu().numpy())

        hook = self.layer.register_forward_pre_hook(lambda _, arguments: captured.append(arguments[0]))
        try:
            yield features
        finally:
            hook.remove()
