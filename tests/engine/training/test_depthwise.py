"""Depthwise convolutions in a network that trains in bf16 on a processor."""

import copy

import pytest
import torch
from timm.layers import Conv2dSame
from torch import nn

from ftaug.engine.system.device import Device
from ftaug.engine.training.depthwise import keep_in_fp32

BF16 = Device(torch.device("cpu"), "bf16", {})


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 1), nn.Conv2d(8, 8, 3, groups=8), nn.Conv2d(8, 8, 3, groups=2))


def outputs(layers: nn.Sequential, inputs: torch.Tensor) -> list[torch.Tensor]:
    with BF16.autocast():
        seen = [inputs]
        for layer in layers:
            seen.append(layer(seen[-1]))
    return seen[1:]


def test_they_alone_compute_in_fp32_and_their_gradients_are_exact():
    layers, inputs = network(), torch.randn(2, 3, 9, 9)
    keep_in_fp32(layers, BF16)
    first, depthwise, grouped = outputs(layers, inputs)
    assert (first.dtype, depthwise.dtype, grouped.dtype) == (torch.bfloat16, torch.float32, torch.bfloat16)
    depthwise.square().sum().backward()
    plain = network()[1]
    expected = plain(first.detach().float())
    expected.square().sum().backward()
    torch.testing.assert_close(depthwise, expected)
    torch.testing.assert_close(layers[1].weight.grad, plain.weight.grad)


def test_convolutions_that_pad_by_themselves_compute_in_fp32_too():
    """Those of networks that were made in TensorFlow."""
    layer, inputs = Conv2dSame(8, 8, 3, stride=2, groups=8), torch.randn(2, 8, 9, 9, dtype=torch.bfloat16)
    keep_in_fp32(layer, BF16)
    with BF16.autocast():
        found = layer(inputs)
    torch.testing.assert_close(found, Conv2dSame.forward(layer, inputs.float()))


def test_without_gradients_nothing_changes():
    layers, inputs = network(), torch.randn(2, 3, 9, 9)
    with torch.no_grad():
        before = outputs(layers, inputs)
        keep_in_fp32(layers, BF16)
        after = outputs(layers, inputs)
    assert all(torch.equal(one, other) and one.dtype == other.dtype for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_other_precisions_are_left_alone(precision):
    layers = network()
    keep_in_fp32(layers, Device(torch.device("cpu"), precision, {}))
    assert not any("forward" in vars(layer) for layer in layers)


def test_a_copy_has_weights_of_its_own():
    layers, inputs = network(), torch.randn(2, 3, 9, 9)
    keep_in_fp32(layers, BF16)
    other = copy.deepcopy(layers)
    with torch.no_grad():
        other[1].weight.zero_()
        other[1].bias.zero_()
    assert outputs(other, inputs)[1].abs().max() == 0
    assert outputs(layers, inputs)[1].abs().max() > 0
