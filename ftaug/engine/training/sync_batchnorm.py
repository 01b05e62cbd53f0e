"""BatchNorm whose mean and variance in training are those of the samples of all processes, as of a single one.

Unlike torch.nn.SyncBatchNorm it also runs on CPUs, and layers keep their class and the names of their weights.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ftaug.engine.system.ranks import Ranks


def synchronize(network: nn.Module, ranks: Ranks) -> None:
    """Synchronize all BatchNorm layers of a network over the processes, in place."""
    if ranks.size > 1:
        norms: list[nn.Module] = [module for module in network.modules() if isinstance(module, _BatchNorm)]
        for norm in norms:
            norm.forward = partial(_forward, norm, norm.forward, ranks)


def _forward(norm: Any, local: Any, ranks: Ranks, inputs: Tensor) -> Tensor:
    """Normalize a batch; with gradients over all processes, where the layer learns its statistics."""
    if not norm.training or not torch.is_grad_enabled():
        return local(inputs)  # type: ignore[no-any-return]
    weight = norm.weight if norm.affine else inputs.new_ones(norm.num_features)
    bias = norm.bias if norm.affine else inputs.new_zeros(norm.num_features)
    with torch.autocast(inputs.device.type, enabled=False):
        outputs, mean, variance, count = _Normalize.apply(inputs.float(), weight, bias, norm.eps, ranks)
    if norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None:
        norm.num_batches_tracked += 1
        momentum = 1 / float(norm.num_batches_tracked) if norm.momentum is None else norm.momentum
        norm.running_mean.lerp_(mean, momentum)
        norm.running_var.lerp_(variance * (count / (count - 1)), momentum)
    return outputs.to(inputs.dtype)  # type: ignore[no-any-return]


class _Normalize(torch.autograd.Function):
    """Batch normalization over all processes (Ioffe and Szegedy 2015)."""

    @staticmethod
    def forward(
        ctx: Any, inputs: Tensor, weight: Tensor, bias: Tensor, eps: float, ranks: Ranks
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the outputs, and mean, biased variance and number of the values of a channel."""
        count = inputs.new_tensor([inputs.numel() / inputs.shape[1]])
        totals = ranks.all_reduce(torch.cat([_per_channel(inputs), count]))
        count = totals[-1]
        mean = totals[:-1] / count
        centered = inputs - _channels(mean, inputs)
        variance = ranks.all_reduce(_per_channel(centered.square())) / count
        scale = (variance + eps).rsqrt()
        outputs = centered * _channels(scale * weight, inputs) + _channels(bias, inputs)
        ctx.save_for_backward(inputs, weight, mean, scale, count)
        ctx.ranks = ranks
        ctx.mark_non_differentiable(mean, variance, count)
        return outputs, mean, variance, count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        """Return the gradients of the inputs, and those of weight and bias from the samples of this process."""
        inputs, weight, mean, scale, count = ctx.saved_tensors
        upstream = gradients[0]
        normalized = (inputs - _channels(mean, inputs)) * _channels(scale, inputs)
        local = torch.stack([_per_channel(upstream * normalized), _per_channel(upstream)])
        of_weight, of_bias = ctx.ranks.all_reduce(local.clone()) / count
        centered = upstream - _channels(of_bias, inputs) - normalized * _channels(of_weight, inputs)
        return centered * _channels(scale * weight, inputs), local[0], local[1], None, None


def _per_channel(values: Tensor) -> Tensor:
    """Sum (batch, channels, …) to (channels,)."""
    return values.sum(dim=[0, *range(2, values.ndim)])


def _channels(values: Tensor, like: Tensor) -> Tensor:
    """View values (channels,) so that they broadcast to a tensor (batch, channels, …)."""
    return values.view(-1, *[1] * (like.ndim - 2))
