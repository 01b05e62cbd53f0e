"""Depthwise convolutions in fp32 while a network trains in bf16 on a processor.

Their backward pass has no quick bf16 kernel in PyTorch: an EfficientNet trains about half as fast in bf16 as it does if
they alone stay in fp32. Without gradients bf16 is the quicker one, so a teacher and stored features stay in bf16.
"""

from collections.abc import Callable
from types import MethodType

import torch
from torch import Tensor, nn

from ftaug.engine.system.device import Device


def keep_in_fp32(network: nn.Module, device: Device) -> None:
    """Let the depthwise convolutions of a network compute in fp32 where gradients are needed, if that is quicker."""
    if device.torch.type != "cpu" or device.precision != "bf16":
        return
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and 1 < module.groups == module.in_channels:
            # A method of the instance: its class stays what others look for, and copies get their own.
            module.forward = MethodType(_forward, module)  # type: ignore[method-assign]


def _forward(self: nn.Conv2d, input: Tensor) -> Tensor:
    plain: Callable[[nn.Conv2d, Tensor], Tensor] = type(self).forward
    if not torch.is_grad_enabled():
        return plain(self, input)
    with torch.autocast("cpu", enabled=False):
        return plain(self, input.float())
