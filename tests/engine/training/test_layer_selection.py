"""Parameters that the patterns of `unfreeze` select: stages, globs, kinds of parameters and the last stages."""

import pytest
import torch
from torch import nn

from ftaug.config.experiment import Last
from ftaug.engine.training.layer_selection import Layers
from ftaug.errors import ExperimentError
from ftaug.image.backbones.resnet20 import resnet20
from ftaug.image.backbones.torchvision import torchvision
from ftaug.interfaces.model import Backbone, Stage


@pytest.fixture
def backbone():
    torch.manual_seed(0)
    return resnet20(range(4), weights="none")


def select(backbone, *patterns):
    layers = Layers(backbone, {})
    return set().union(*(layers.select(pattern, f"unfreeze.{i}") for i, pattern in enumerate(patterns)))


def parameters(backbone, *prefixes):
    return {name for name, _ in backbone.network.named_parameters() if name.startswith(prefixes)}


@pytest.mark.parametrize(
    ("patterns", "prefixes"),
    [
        (["head"], ("fc",)),
        (["layer3", "head"], ("layer3", "fc")),
        (["layer[23]", "head"], ("layer2", "layer3", "fc")),
        (["layer3.2.*", "fc"], ("layer3.2.", "fc")),
        (["layer3.2", "fc"], ("layer3.2.", "fc")),
        (["stem", "fc.*"], ("conv1", "bn1", "fc")),
        ([Last(1)], ("fc",)),
        ([Last(2)], ("layer3", "fc")),
        (["all"], ("",)),
        (["biases", "head"], ("fc",)),
    ],
)
def test_patterns(backbone, patterns, prefixes):
    expected = parameters(backbone, *prefixes)
    if "biases" in patterns:
        expected |= {name for name in parameters(backbone, "") if name.endswith(".bias")}
    assert select(backbone, *patterns) == expected


def test_norms_are_the_parameters_of_every_kind_of_norm():
    with torch.device("meta"):
        for name in ("resnet18", "vit_b_32", "convnext_tiny"):
            backbone = torchvision(name, range(3), weights="none")
            kinds = (nn.BatchNorm2d, nn.LayerNorm)
            norms = [n for n, module in backbone.network.named_modules() if isinstance(module, kinds)]
            expected = {f"{norm}.{leaf}" for norm in norms for leaf in ("weight", "bias")}
            head = {n for n, _ in backbone.network.named_parameters() if n.startswith(("fc", "heads", "classifier.2"))}
            assert select(backbone, "norms", "head") == expected | head


def test_glob_on_the_end_of_module_names(backbone):
    expected = {f"layer{i}.{j}.bn2.{leaf}" for i in (1, 2, 3) for j in range(3) for leaf in ("weight", "bias")}
    assert select(backbone, "*.bn2", "head") == expected | {"fc.weight", "fc.bias"}


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("layer5", "unfreeze.0: no stage or layer 'layer5'; did you mean 'layer3'?"),
        ("zzz*", "unfreeze.0: no stage or layer 'zzz*'; the stages are stem, layer1, layer2, layer3, head"),
        (Last(6), "unfreeze.0: last: 6 exceeds the number of stages: stem, layer1, layer2, layer3, head"),
    ],
)
def test_patterns_that_select_nothing(backbone, pattern, message):
    with pytest.raises(ExperimentError) as caught:
        select(backbone, pattern)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_stage_beside_the_head_counts_with_it_and_dropout_belongs_to_the_next_stage():
    modules = {"embed": nn.Embedding(5, 4), "block": nn.Linear(4, 4), "norm": nn.LayerNorm(4), "drop": nn.Dropout()}
    network = nn.ModuleDict({**modules, "head": nn.Linear(4, 2)})
    stages = (
        Stage("embeddings", ("embed",)),
        Stage("block", ("block",)),
        Stage("final norm", ("norm",), with_head=True),
        Stage("head", ("head",)),
    )
    layers = Layers(
        Backbone(network, stages, {}, lambda: None, no_weight_decay=("norm.*",)), {"block.lora.a": "block.weight"}
    )
    assert [layers.depth(stage.name) for stage in stages] == [0, 1, 2, 2]
    assert layers.select(Last(1), "unfreeze.0") == {"norm.weight", "norm.bias", "head.weight", "head.bias"}
    assert layers.stage_of["drop"] == "head"
    assert layers.stage_of["block.lora.a"] == "block"
    assert layers.hidden() == {"block.weight", "block.bias"}
