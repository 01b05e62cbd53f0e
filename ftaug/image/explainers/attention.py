"""Explanation of vision transformers by their attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ftaug.image import explainer
from ftaug.interfaces.explanation import Attribution, CannotExplain, ExplainedOutput

if TYPE_CHECKING:
    from torch import Tensor


@explainer.register
def attention_rollout(output: ExplainedOutput, sample: Tensor) -> Attribution:
    """Attention rollout: which patches the attention of all layers together looks at; of ViTs alone.

    Abnar & Zuidema 2020 (arXiv:2005.00928): attention averaged over heads, half of each layer is its skip connection.
    It does not depend on the class. Seen from the class token, or from the mean of all patches where there is none.
    """
    import torch

    from ftaug.attribution.feature_layer import prefix_tokens, token_grid
    from ftaug.image.explainers.recorded_attention import recorded_attention

    layers = recorded_attention(output, sample)
    shapes = {layer.shape for layer in layers}
    prefix = prefix_tokens(output.network)
    grid = token_grid(next(iter(shapes))[0], (sample.shape[-2], sample.shape[-1]), prefix) if len(shapes) == 1 else None
    if len(layers) < 2 or grid is None:
        raise CannotExplain("needs a network with global attention over patches, such as ViT or DeiT")
    rollout = torch.eye(len(layers[0]), dtype=torch.float64)
    for layer in layers:
        rollout = (layer.double().cpu() + torch.eye(len(layer))) / 2 @ rollout
    first = grid.prefix or 0
    seen = rollout[0] if first else rollout.mean(dim=0)
    return Attribution(seen[first:].reshape(grid.rows, grid.columns).numpy())
