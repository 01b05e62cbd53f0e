"""Fast dropout on the CPU, where drawing torch's masks takes half as long as the arithmetic.

Masks use 16 random bits per element, so that a rate of 0.1 is effectively 0.100006, and is scaled accordingly.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

NAME = "ftaug"
"""Name under which transformers registers this module's attention."""

LEVELS = 1 << 16


class Dropout(nn.Dropout):
    """Drop-in replacement of nn.Dropout, reproducible by torch's seed."""

    def forward(self, input: Tensor) -> Tensor:
        """Zero random elements in training and rescale the others."""
        if not self.training or input.device.type != "cpu":
            return super().forward(input)
        return dropped(input, self.p)


def dropped(values: Tensor, rate: float) -> Tensor:
    """Zero each value with probability `rate` and scale the others to preserve the mean."""
    threshold = round(rate * LEVELS)
    if threshold in (0, LEVELS):
        return values if threshold == 0 else values * 0
    return cast(Tensor, _Dropped.apply(values, threshold))


class _Dropped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, threshold: int) -> Tensor:
        seed = int(torch.randint(1 << 62, ()))
        # four signed 16-bit values per 64-bit word; comparing int16 avoids a conversion to float
        words = np.random.SFC64(seed).random_raw(-(-values.numel() // 4)).view(np.int16)
        ctx.mask = (torch.from_numpy(words)[: values.numel()] >= threshold - LEVELS // 2).view(values.shape)
        ctx.scale = LEVELS / (LEVELS - threshold)
        result: Tensor = (values * ctx.mask).mul_(ctx.scale)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return (gradients[0] * ctx.mask).mul_(ctx.scale), None


def use_fast_dropout(model: nn.Module) -> None:
    """Replace nn.Dropout in a model of transformers, and its SDPA attention if it supports attention backends."""
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
    """Scaled dot-product attention; explicit on the CPU if dropout is active, as torch's kernel is slow there.

    Maps (batch, heads, length, width) to (batch, length, heads, width).
    """
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if dropout == 0 or query.device.type != "cpu" or settings.get("position_bias") is not None:
        arguments = (module, query, key, value, attention_mask, dropout, scaling)
        return sdpa_attention_forward(*arguments, **settings)
    scores = (query * (query.shape[-1] ** -0.5 if scaling is None else scaling)) @ key.transpose(2, 3)
    if attention_mask is not None:
        scores = scores.masked_fill(~attention_mask, torch.finfo(scores.dtype).min)
    weights = dropped(scores.softmax(dim=-1), dropout)
    return (weights @ value).transpose(1, 2).contiguous(), None
