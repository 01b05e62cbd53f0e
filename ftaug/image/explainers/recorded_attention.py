"""Record the attention weights of a network, whichever way it computes them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from ftaug.interfaces.explanation import ExplainedOutput


def recorded_attention(output: ExplainedOutput, sample: Tensor) -> list[Tensor]:
    """Run a network and return the attention of each layer for one sample, averaged over heads: (tokens, tokens).

    Returns nothing if a layer attends within windows, or to fewer tokens.
    """
    recorder = _Recorder()
    with torch.no_grad(), recorder:
        output.model(sample)
    return recorder.layers if recorder.is_global else []


class _Recorder(TorchFunctionMode):
    """Intercept the two functions of torch that compute attention."""

    def __init__(self) -> None:
        super().__init__()
        self.layers: list[Tensor] = []
        self.is_global = True

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func is functional.scaled_dot_product_attention:
            self._record(_weights(*args, **kwargs))
        if func is functional.multi_head_attention_forward:
            values, weights = func(*args, **{**kwargs, "need_weights": True, "average_attn_weights": False})
            self._record(weights)
            return values, None
        return func(*args, **kwargs)

    def _record(self, weights: Tensor) -> None:
        """Record weights (1, heads, queries, keys) of one sample; windows lie along the first dimension."""
        if weights.ndim == 4 and len(weights) == 1 and weights.shape[-2] == weights.shape[-1]:
            self.layers.append(weights[0].mean(dim=0))
        else:
            self.is_global = False


def _weights(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Return the attention weights that `scaled_dot_product_attention` computes, without dropout and causal mask."""
    scores = query @ key.transpose(-2, -1) * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if attn_mask is not None:
        scores = scores.masked_fill(~attn_mask, -math.inf) if attn_mask.dtype == torch.bool else scores + attn_mask
    return scores.softmax(dim=-1)
