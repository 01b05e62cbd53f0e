"""Methods: what they add, and that it goes into the weights without a trace."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d
from trial_networks import SIZES, backbone, inputs

from ftaug.components.peft.l2_sp import l2_sp
from ftaug.components.peft.layers import add_low_rank, add_scale, weights_to_change
from ftaug.components.peft.lora import lora
from ftaug.components.peft.ssf import ssf
from ftaug.errors import ExperimentError
from ftaug.image.backbones.torchvision import torchvision
from ftaug.interfaces.model import Backbone, Stage

RELATIVE = 1e-5


def assert_close(found, expected):
    """Equal but for rounding, relative to the largest."""
    assert (found - expected).abs().max() <= RELATIVE * expected.abs().max()


def shaken(module, seed=1):
    """Give all that a method added other values than those it starts with."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if ".lora." in f".{name}" or ".ssf." in f".{name}":
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)


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


@pytest.mark.parametrize("method", [lora, ssf])
@pytest.mark.parametrize("name", SIZES)
def test_a_merged_network_is_the_network_and_answers_as_the_adapted_one(name, method):
    made = backbone(name)
    network, before = made.network.eval(), made.network.state_dict()
    before = {key: value.clone() for key, value in before.items()}
    head = {key for key in before if made.stages[-1].holds(key)}
    batch = inputs(name, seed=0)
    with torch.no_grad():
        plain = network(batch)
        adapted = method(made, frozenset(head), **({"rank": 4} if method is lora else {}))
        assert torch.equal(network(batch), plain)
        shaken(network)
        found = network(batch)
        assert not torch.allclose(found, plain, rtol=1e-3, atol=0)
        assert {*before, *adapted.parameters} == set(network.state_dict())
        assert all(torch.equal(value, network.state_dict()[key]) for key, value in before.items())
        adapted.merge()
        assert_close(network(batch), found)
    assert network.state_dict().keys() == before.keys()
    assert all(torch.equal(value, network.state_dict()[key]) for key, value in before.items() if key in head)


def test_an_adapter_is_a_small_share_of_the_network():
    with torch.device("meta"):
        for name in ("resnet18", "convnext_tiny", "swin_t"):
            made = torchvision(name, range(10), weights="none")
            sizes = {key: p.numel() for key, p in made.network.named_parameters()}
            head = {key for key in sizes if made.stages[-1].holds(key)}
            own = lora(made, frozenset(head)).parameters
            parameters = dict(made.network.named_parameters())
            learned = sum(parameters[key].numel() for key in [*own, *head])
            assert 0.001 < learned / sum(sizes.values()) < 0.03, name


@pytest.mark.parametrize(
    ("learning", "settings", "message"),
    [
        ((), {"targets": ("layer9",)}, "no stage or layer 'layer9'; did you mean 'layer3'?; the stages are stem"),
        ((), {"targets": ("zzz*",)}, "no stage or layer 'zzz*'; the stages are stem, layer1"),
        ((), {"targets": ("*.bn1",)}, "'*.bn1' names no Linear or Conv2d outside the head that is larger"),
        ((), {"targets": ("head",)}, "'head' names no Linear or Conv2d outside the head"),
        ((), {"targets": ("layer1",), "rank": 99}, "'layer1' names no Linear or Conv2d outside the head that is larger "
         "than a change of rank 99; choose other layers, or lower the rank"),
        (("layer3.",), {"targets": ("layer2", "layer3")}, "layer3.0.conv1 learns as a whole by unfreeze"),
        (("",), {}, "no layer is left for a change of rank 8 beside what learns by unfreeze"),
    ],
)  # fmt: skip
def test_targets_that_cannot_be_meant(learning, settings, message):
    made = backbone("resnet20")
    names = {name for name, _ in made.network.named_parameters() if name.startswith(learning)} if learning else set()
    with pytest.raises(ExperimentError) as caught:
        lora(made, frozenset(names), **settings)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not [name for name, _ in made.network.named_parameters() if "lora" in name]


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (("layer3",), "layer3."),
        (("layer2.0.*",), "layer2.0."),
        (("layer*.*.conv2",), ("layer1.0.conv2", "layer1.1.conv2", "layer1.2.conv2", "layer2", "layer3")),
        (("stem", "layer1.1"), ("conv1", "layer1.1.")),
    ],
)
def test_targets_are_stages_and_globs_on_modules(targets, expected):
    made = backbone("resnet20")
    layers = {name.partition(".lora.")[0] for name in lora(made, frozenset(), rank=2, targets=targets).parameters}
    convolutions = {name for name, module in made.network.named_modules() if isinstance(module, nn.Conv2d)}
    wanted = {name for name in convolutions if name.startswith(expected)}
    wanted = {name for name in wanted if not targets[0].endswith("conv2") or name.endswith("conv2")}
    assert layers == wanted
    assert layers


def test_dropout_inside_an_attention_is_refused():
    with pytest.raises(
        ExperimentError, match=r"dropout: is not supported in encoder\.layers\.encoder_layer_0\.self_attention"
    ):
        lora(backbone("vit"), frozenset(), rank=2, dropout=0.1)


def test_ssf_leaves_out_what_learns_and_refuses_when_all_does():
    made = backbone("resnet18")
    learning = frozenset(n for n, _ in made.network.named_parameters() if n.startswith(("layer4", "fc")))
    own = ssf(made, learning).parameters
    assert {name.split(".")[0] for name in own} == {"conv1", "bn1", "layer1", "layer2", "layer3"}
    assert "conv1.ssf.scale" in own and "conv1.ssf.shift" not in own and "bn1.ssf.shift" in own
    whole = backbone("resnet20")
    with pytest.raises(ExperimentError, match=r"method\.ssf: every layer learns by unfreeze already"):
        ssf(whole, frozenset(name for name, _ in whole.network.named_parameters()))


def test_l2_sp_is_the_distance_to_the_start_and_the_size_of_the_head():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    made = Backbone(network, (Stage("body", ("0", "1")), Stage("head", ("2",))), {}, lambda: None)
    names = frozenset(name for name, _ in network.named_parameters())
    adapted = l2_sp(made, names, backbone_weight=0.3, head_weight=0.07)
    nn.init.normal_(network[0].weight)  # as pretrained weights fill it
    adapted.start()
    start = network[0].weight.detach().numpy().copy()
    assert adapted.penalty().item() == pytest.approx(0.035 * (network[2].weight.detach().numpy() ** 2).sum(), rel=1e-6)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter))
    away = network[0].weight.detach().numpy() - start
    head = network[2].weight.detach().numpy()
    assert adapted.penalty().item() == pytest.approx(0.15 * (away**2).sum() + 0.035 * (head**2).sum(), rel=1e-5)
    adapted.penalty().backward()
    np.testing.assert_allclose(network[0].weight.grad, 0.3 * away, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(network[2].weight.grad, 0.07 * head, rtol=1e-5, atol=1e-7)
    assert network[0].bias.grad is None and network[1].weight.grad is None


def test_l2_sp_refuses_what_would_have_no_effect():
    made = backbone("resnet20")
    names = frozenset(name for name, _ in made.network.named_parameters())
    with pytest.raises(ExperimentError, match="are both 0"):
        l2_sp(made, names, backbone_weight=0, head_weight=0)
    with pytest.raises(ExperimentError, match="nothing of the backbone learns"):
        l2_sp(made, frozenset({"fc.weight", "fc.bias"}))
