"""Run depthwise convolutions in fp32 while a network trains in bf16 on a CPU.

Their backward pass has no fast bf16 kernel in PyTorch: an EfficientNet trains about half as fast in bf16 as it does if
they alone stay in fp32. Without gradients bf16 is faster, so a teacher and cached features stay in bf16.
"""

from collections.abc import Callable
from types import MethodType

import torch
from torch import Tensor, nn

from ftaug.engine.system.device import Device


def keep_in_fp32(network: nn.Module, device: Device) -> None:
    """Make the depthwise convolutions of a network compute in fp32 where gradients are needed, if that is faster."""
    if device.torch.type != "cpu" or device.precision != "bf16":
        return
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and 1 < module.groups == module.in_channels:
            # A method of the instance: the class stays the same for isinstance checks, and copies get their own method.
            module.forward = MethodType(_forward, module)  # type: ignore[method-assign]


def _forward(self: nn.Conv2d, input: Tensor) -> Tensor:
    """Forward pass of a convolution, outside of autocast where gradients are needed."""
    plain: Callable[[nn.Conv2d, Tensor], Tensor] = type(self).forward
    if not torch.is_grad_enabled():
        return plain(self, input)
    with torch.autocast("cpu", enabled=False):
        return plain(self, input.float())
