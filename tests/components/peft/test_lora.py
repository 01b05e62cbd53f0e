"""LoRA: how few weights it adds, and which layers its targets select."""

import pytest
import torch
from torch import nn
from trial_networks import backbone

from ftaug.components.peft.lora import lora
from ftaug.errors import ExperimentError
from ftaug.image.backbones.torchvision import torchvision


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
        (("layer3.",), {"targets": ("layer2", "layer3")}, "layer3.0.conv1 is trained fully by unfreeze"),
        (("",), {}, "no layer is left for an update of rank 8 besides those that unfreeze trains"),
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
