"""Dropout on a processor without a GPU, where drawing the masks takes as long as half of the arithmetic.

The masks come from 16 random bits an element, so that a rate of 0.1 is one of 0.100006, and is scaled as such.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

NAME = "ftaug"
"""What transformers calls the attention of this module."""

LEVELS = 1 << 16


class Dropout(nn.Dropout):
    """As its parent, of the same rate; what is dropped follows from torch's seed."""

    def forward(self, input: Tensor) -> Tensor:
        """Zero elements in training, and scale the others up."""
        if not self.training or input.device.type != "cpu":
            return super().forward(input)
        return dropped(input, self.p)


def dropped(values: Tensor, rate: float) -> Tensor:
    """The values, each set to 0 with the probability of `rate`, the others scaled so that the mean stays."""
    below = round(rate * LEVELS)
    if below in (0, LEVELS):
        return values if below == 0 else values * 0
    return cast(Tensor, _Dropped.apply(values, below))


class _Dropped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, below: int) -> Tensor:
        seed = int(torch.randint(1 << 62, ()))
        words = np.random.SFC64(seed).random_raw(-(-values.numel() // 4)).view(np.int16)
        ctx.kept = (torch.from_numpy(words)[: values.numel()] >= below - LEVELS // 2).view(values.shape)
        ctx.scale = LEVELS / (LEVELS - below)
        result: Tensor = (values * ctx.kept).mul_(ctx.scale)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return (gradients[0] * ctx.kept).mul_(ctx.scale), None


def use_fast_dropout(model: nn.Module) -> None:
    """Let a model of transformers drop by this module, in attention too where it lets others attend for it."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    for parent in model.modules():
        for name, child in parent.named_children():
            if type(child) is nn.Dropout:
                setattr(parent, name, Dropout(child.p))
    config: Any = model.config
    if config._attn_implementation == "sdpa" and getattr(model, "_supports_attention_backend", False):
        AttentionInterface.register(NAME, attention)
        AttentionMaskInterface.register(NAME, sdpa_mask)
        cast(Any, model).set_attn_implementation(NAME)


def attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **settings: Any,
) -> tuple[Tensor, None]:
    """What torch's kernels compute; on a CPU they drop slowly, and are left out where something is dropped.

    Takes (batch, heads, length, width), gives (batch, length, heads, width).
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if dropout == 0 or query.device.type != "cpu" or settings.get("position_bias") is not None:
        given = (module, query, key, value, attention_mask, dropout, scaling)
        return sdpa_attention_forward(*given, **settings)
    scores = (query * (query.shape[-1] ** -0.5 if scaling is None else scaling)) @ key.transpose(2, 3)
    if attention_mask is not None:
        scores = scores.masked_fill(~attention_mask, torch.finfo(scores.dtype).min)
    shares = dropped(scores.softmax(dim=-1), dropout)
    return (shares @ value).transpose(1, 2).contiguous(), None
