"""Layers with a low-rank change or a scale: what they compute, and that both go into the weights without a trace."""

import numpy as np
import pytest
import torch
from adapted import assert_close, shaken
from torch import nn
from torch.nn.functional import conv2d

from ftaug.components.peft.layers import add_low_rank, add_scale, weights_to_change

CONVOLUTIONS = {
    "plain": {"kernel_size": 3, "padding": 1},
    "pointwise": {"kernel_size": 1},
    "grouped": {"kernel_size": 3, "padding": 1, "groups": 4},
    "grouped pointwise": {"kernel_size": 1, "groups": 2},
    "strided": {"kernel_size": 5, "stride": 2, "padding": 2},
    "dilated": {"kernel_size": 3, "dilation": 2, "padding": "same"},
    "circular": {"kernel_size": 3, "padding": 1, "padding_mode": "circular"},
    "oblong": {"kernel_size": (1, 5), "padding": (0, 2), "bias": False},
}


@pytest.mark.parametrize("settings", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_a_change_in_channels_last_memory_goes_into_the_weights(settings):
    torch.manual_seed(0)
    layer = nn.Conv2d(32, 48, **settings)
    fold = add_low_rank(layer, False, 2, scale=1.5, dropout=0.0)
    shaken(layer)
    batch, wanted = torch.randn(2, 32, 9, 9), layer.lora.change()
    layer.to(memory_format=torch.channels_last)
    assert_close(layer.lora.change(), wanted)
    found = layer(batch)
    fold()
    assert_close(layer(batch), found)


@pytest.mark.parametrize("settings", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_a_changed_convolution_is_one_with_the_sum_of_weights(settings):
    torch.manual_seed(0)
    layer = nn.Conv2d(32, 48, **settings)
    batch, before = torch.randn(2, 32, 9, 9), layer.weight.detach().clone()
    plain = layer(batch)
    fold = add_low_rank(layer, False, 2, scale=1.5, dropout=0.0)
    assert torch.equal(layer(batch), plain)
    shaken(layer)
    found, a, b = layer(batch), layer.lora.a.detach().numpy(), layer.lora.b.detach().numpy()
    fold()
    assert_close(layer(batch), found)
    groups = layer.groups
    for group in range(groups):
        own_b = b.reshape(groups, -1, 2)[group]
        own_a = a.reshape(groups, 2, -1)[group]
        change = (layer.weight.detach() - before).numpy().reshape(groups, 48 // groups, -1)[group]
        np.testing.assert_allclose(change, 1.5 * own_b @ own_a, atol=1e-6)
        assert np.linalg.matrix_rank(own_b @ own_a) == 2
    assert not [name for name, _ in layer.named_parameters() if "lora" in name]
    if settings.get("padding_mode") is None:
        geometry = (layer.stride, layer.padding, layer.dilation, groups)
        assert_close(found, conv2d(batch, layer.weight, layer.bias, *geometry))


def test_a_changed_linear_layer_drops_inputs_of_the_change_alone():
    torch.manual_seed(0)
    layer = nn.Linear(20, 30)
    add_low_rank(layer, False, 3, scale=2.0, dropout=0.5)
    batch = torch.randn(7, 20)
    assert torch.equal(layer.train()(batch), layer.eval()(batch))
    shaken(layer)
    expected = batch @ (layer.weight + 2.0 * layer.lora.b @ layer.lora.a).T + layer.bias
    assert_close(layer.eval()(batch), expected)
    torch.manual_seed(5)
    kept = nn.functional.dropout(batch, 0.5)
    torch.manual_seed(5)
    assert_close(layer.train()(batch), layer.weight.new_tensor(0) + layer.bias + batch @ layer.weight.T
                 + 2.0 * kept @ layer.lora.a.T @ layer.lora.b.T)  # fmt: skip


def test_a_layer_is_changed_only_where_that_saves_something():
    network = nn.ModuleDict(
        {
            "linear": nn.Linear(64, 64),
            "depthwise": nn.Conv2d(32, 32, 3, groups=32),
            "norm": nn.LayerNorm(64),
            "attention": nn.MultiheadAttention(64, 2),
            "transposed": nn.ConvTranspose2d(64, 64, 3),
        }
    )
    fitting = ["linear.weight", "attention.in_proj_weight", "attention.out_proj.weight"]
    assert list(weights_to_change(network, 1)) == list(weights_to_change(network, 31)) == fitting
    assert list(weights_to_change(network, 32)) == ["attention.in_proj_weight"]


def test_a_changed_attention_is_one_with_the_sum_of_weights():
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(16, 2)
    batch = torch.randn(3, 4, 16)
    plain, _ = layer(batch, batch, batch)
    folds = [add_low_rank(part, True, 2, scale=1.0, dropout=0.0) for part in (layer, layer.out_proj)]
    assert torch.equal(layer(batch, batch, batch)[0], plain)
    shaken(layer)
    wanted = layer._parameters["in_proj_weight"] + layer.lora.b @ layer.lora.a
    found, _ = layer(batch, batch, batch)
    assert not torch.allclose(found, plain, rtol=1e-3)
    for fold in folds:
        fold()
    assert type(layer) is nn.MultiheadAttention
    assert_close(layer.in_proj_weight, wanted)
    assert_close(layer(batch, batch, batch)[0], found)


class Swapped(nn.Module):
    """A norm over the channels of a picture, as torchvision's."""

    def __init__(self):
        super().__init__()
        from torchvision.models.convnext import LayerNorm2d

        self.norm = LayerNorm2d(6)

    def forward(self, batch):
        return self.norm(batch)


SCALABLE = {
    "linear": (nn.Linear(5, 6), (3, 5), -1),
    "linear without a bias": (nn.Linear(5, 6, bias=False), (3, 4, 5), -1),
    "convolution": (nn.Conv2d(4, 6, 3, groups=2), (2, 4, 7, 7), 1),
    "batch norm": (nn.BatchNorm2d(6).eval(), (2, 6, 3, 3), 1),
    "layer norm": (nn.LayerNorm(6), (2, 5, 6), -1),
    "group norm": (nn.GroupNorm(2, 6), (2, 6, 3, 3), 1),
    "layer norm of pictures": (Swapped().norm, (2, 6, 3, 3), 1),
}


@pytest.mark.parametrize(("layer", "shape", "axis"), SCALABLE.values(), ids=SCALABLE)
def test_a_scaled_layer_is_the_layer_times_a_factor_plus_a_shift(layer, shape, axis):
    torch.manual_seed(0)
    nn.init.normal_(layer.weight)
    batch = torch.randn(shape)
    plain = layer(batch)
    fold = add_scale(layer)
    assert torch.equal(layer(batch), plain)
    shaken(layer)
    found = layer(batch)
    scale = layer.ssf.scale.detach().numpy()
    shift = 0.0 if layer.ssf.shift is None else layer.ssf.shift.detach().numpy()
    assert (layer.ssf.shift is None) == (layer.bias is None)
    expected = np.moveaxis(np.moveaxis(plain.detach().numpy(), axis, -1) * scale + shift, -1, axis)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    fold()
    assert_close(layer(batch), found)


@pytest.mark.parametrize("batch_first", [False, True])
def test_a_scaled_attention_gives_its_answer_scaled(batch_first):
    torch.manual_seed(0)
    layer = nn.MultiheadAttention(8, 2, batch_first=batch_first)
    batch = torch.randn(3, 4, 8)
    plain, seen = layer(batch, batch, batch)
    fold = add_scale(layer)
    shaken(layer)
    found, still_seen = layer(batch, batch, batch)
    assert torch.equal(seen, still_seen)
    assert_close(found, plain * layer.ssf.scale + layer.ssf.shift)
    fold()
    assert_close(layer(batch, batch, batch)[0], found)
