"""L2-SP: weight decay toward the initial (pretrained) weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftaug.config.kinds import method
from ftaug.config.types import NonNegative
from ftaug.errors import ExperimentError
from ftaug.interfaces.model import Backbone, PeftModel

if TYPE_CHECKING:
    from torch import Tensor


@method.register(replaces_decay=True)
def l2_sp(
    backbone: Backbone, learning: frozenset[str], *, backbone_weight: NonNegative = 0.1, head_weight: NonNegative = 0.01
) -> PeftModel:
    """L2-SP: penalize the distance of the weights from the initial ones, and of the new head from 0; no weight decay.

    The penalty is backbone_weight / 2 · ‖w − w₀‖² over the trainable weights of the backbone, and
    head_weight / 2 · ‖w‖² over those of the head; norms, biases and other one-dimensional parameters have none.

    Settings:
        backbone_weight: the weight of the penalty on the backbone
        head_weight: the weight of the penalty on the head

    Li, Grandvalet and Davoine 2018.
    """
    if backbone_weight == head_weight == 0:
        raise ExperimentError("method.l2_sp: backbone_weight and head_weight are both 0, which has no effect")
    head = backbone.stages[-1]
    held = {name: p for name, p in backbone.network.named_parameters() if name in learning and p.ndim > 1}
    ours = {name: p for name, p in held.items() if not head.holds(name)}
    if not ours:
        raise ExperimentError("method.l2_sp: nothing of the backbone learns by unfreeze; name more there, or leave it")
    heads = [p for name, p in held.items() if head.holds(name)]
    state = {name: p.detach().clone() for name, p in ours.items()}

    def start() -> None:
        for name, parameter in ours.items():
            state[name] = parameter.detach().clone()

    def penalty() -> Tensor:
        import torch

        away = [(p - state[name]).square().sum() for name, p in ours.items()]
        large = [p.square().sum() for p in heads]
        return 0.5 * (backbone_weight * torch.stack(away).sum() + head_weight * torch.stack(large).sum())

    return PeftModel(start=start, penalty=penalty, state=state)
