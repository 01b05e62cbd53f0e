"""SSF: freeze the weights; train a scale and shift of every layer's output."""

from __future__ import annotations

from ftaug.components.peft.adapters import loader_of
from ftaug.config.kinds import method
from ftaug.config.types import FilePath
from ftaug.errors import ExperimentError
from ftaug.interfaces.model import Backbone, PeftModel


@method.register(learns="head")
def ssf(backbone: Backbone, learning: frozenset[str], *, weights: FilePath | None = None) -> PeftModel:
    """SSF: freeze the weights and train a scale and a shift per channel; the head is trained fully.

    Settings:
        weights: an adapter to start from, as `ftaug export RUN --format adapter` writes it

    They follow every linear layer, convolution, norm and attention of PyTorch that `unfreeze` does not train; an
    attention as a whole if it does not call its linear layers. A layer without a bias has only a scale. After training
    they are merged into the weights. Lian et al. 2022.
    """
    from torch.nn import Linear

    from ftaug.components.peft.layers import add_scale, inside_attention, scalable

    inside = inside_attention(backbone.network)
    head = backbone.stages[-1]
    layers = {
        name: layer
        for name, layer in backbone.network.named_modules()
        if scalable(layer)
        and not (name in inside and isinstance(layer, Linear))
        and learning.isdisjoint(f"{name}.{parameter}" for parameter, _ in layer.named_parameters())
        and not any(head.holds(f"{name}.{parameter}") for parameter, _ in layer.named_parameters())
    }
    if not layers:
        raise ExperimentError("method.ssf: every layer learns by unfreeze already; leave unfreeze out, or name less")
    folds = [add_scale(layer) for layer in layers.values()]

    def merge() -> None:
        for fold in folds:
            fold()

    factors = {
        f"{name}.ssf.{parameter}": f"{name}.{next(layer.named_parameters())[0]}"
        for name, layer in layers.items()
        for parameter, _ in layer.get_submodule("ssf").named_parameters()
    }
    return PeftModel(factors, loader_of(weights, backbone, "method.ssf.weights"), merge)
