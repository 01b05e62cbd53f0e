"""A model cut where freezing ends: both parts together are the whole, in evaluation and in training."""

import pytest
import torch

from ftaug.config.registry import Component
from ftaug.engine.training.layer_selection import Layers
from ftaug.engine.training.split_network import CannotCut, cut
from ftaug.engine.training.state import Model
from ftaug.engine.training.unfreeze import Group, Plan
from ftaug.experiment_file import import_components
from ftaug.image import samples
from ftaug.image.backbones.torchvision import NAMES

import_components("image")

QUICK = ("resnet20", "resnet18", "mobilenet_v2", "squeezenet1_1", "alexnet", "vit_b_32")
LARGE = ("vit_h", "vit_l", "128gf", "32gf", "16gf", "101", "152", "161", "201", "_b5", "_b6", "_b7", "_l", "_large")


def built(name: str) -> tuple[Model, list[str], dict[str, str], torch.Tensor]:
    """A model with random weights, its stages, the stage of each parameter, and pictures for it."""
    torch.manual_seed(0)
    backbone = Component("backbone", name, {"weights": "none"}, "image")(("a", "b", "c"))
    size = backbone.preprocessing["size"][0]
    model = Model(samples.normalizer(backbone.preprocessing), backbone.network, torch.nn.Identity())
    for module in model.modules():  # statistics that are not those of a fresh network
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 1.5)
        if isinstance(module, torch.nn.Dropout):  # what it draws depends on the layout of its input
            module.p = 0.0
    stages = [stage.name for stage in backbone.stages]
    pictures = torch.randint(0, 256, (3, 3, size, size), dtype=torch.uint8)
    return model, stages, Layers(backbone, {}).stage_of, pictures


def plan_of(model: Model, learning: list[str], stage_of: dict[str, str]) -> Plan:
    names = tuple(name for name, _ in model.network.named_parameters() if stage_of[name] in learning)
    return Plan((Group(learning[-1], 1.0, True, 0, names),), stage_of)


def assert_cut(name: str, last: int) -> tuple[int, ...]:
    """Cut off the last stages, and compare; returns the shape of a sample's features."""
    model, stages, stage_of, pictures = built(name)
    plan = plan_of(model, stages[-last:], stage_of)
    made = cut(model, plan, 0, pictures)
    features = made.prefix(pictures)
    assert not features.requires_grad

    model.eval()
    with torch.no_grad():
        torch.testing.assert_close(made.rest(features), model(pictures), rtol=1e-3, atol=1e-4)
    gradients = []
    for answer in (lambda: model(pictures), lambda: made.rest(features)):
        plan.apply(model.network, 0)
        torch.manual_seed(1)
        model.zero_grad()
        answer().square().sum().backward()
        gradients.append({n: p.grad.clone() for n, p in model.network.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys() == plan.learning(0)
    for key, whole in gradients[0].items():
        torch.testing.assert_close(gradients[1][key], whole, rtol=2e-2, atol=2e-2 * float(whole.abs().max()) + 1e-5)
    return tuple(features.shape[1:])


@pytest.mark.parametrize("name", QUICK)
def test_head_alone(name):
    shape = assert_cut(name, 1)
    expected = {"resnet20": (64,), "resnet18": (512,), "mobilenet_v2": (1280,), "alexnet": (4096,), "vit_b_32": (768,)}
    assert shape == expected.get(name, shape)


@pytest.mark.parametrize(("name", "shape"), [("resnet20", (32, 16, 16)), ("resnet18", (256, 14, 14))])
def test_the_last_stage_and_the_head(name, shape):
    assert assert_cut(name, 2) == shape


@pytest.mark.parametrize(
    "name",
    ["vit_tiny_patch16_224", "convnext_atto", "efficientnet_b0", "mobilevit_xxs", "swin_tiny_patch4_window7_224"],
)
def test_networks_of_timm(name):
    pytest.importorskip("timm")
    assert assert_cut(f"timm/{name}", 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if not any(part in name for part in LARGE)])
def test_every_family(name):
    assert assert_cut(name, 1)


def test_batch_normalization_is_folded():
    model, stages, stage_of, pictures = built("resnet18")
    made = cut(model, plan_of(model, stages[-2:], stage_of), 0, pictures)
    assert not [module for module in made.prefix.modules() if isinstance(module, torch.nn.BatchNorm2d)]


def test_cutting_leaves_the_model_as_it_was():
    model, stages, stage_of, pictures = built("resnet20")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    cut(model, plan_of(model, stages[-2:], stage_of), 0, pictures)
    assert modes == [module.training for module in model.modules()]
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_what_cannot_be_cut_says_why():
    model, stages, stage_of, pictures = built("resnet20")
    with pytest.raises(CannotCut, match="the trainable layers begin at the input"):
        cut(model, plan_of(model, stages, stage_of), 0, pictures)
    with pytest.raises(CannotCut, match="2 tensors pass from the frozen part to the rest"):
        names = ("layer3.0.conv2.weight",)  # beside a shortcut
        cut(model, Plan((Group("layer3", 1.0, True, 0, names),), stage_of), 0, pictures)
