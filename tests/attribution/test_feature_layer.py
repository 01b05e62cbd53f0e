import pytest
import torch
from explained import linear_output, output_of, pixels
from torch import nn

from ftaug.attribution.feature_layer import features, grid_of, token_grid
from ftaug.errors import ExperimentError
from ftaug.interfaces.explanation import CannotExplain, ExplainedOutput
from ftaug.interfaces.model import Stage


@pytest.mark.parametrize(
    ("name", "side", "layer", "grid"),
    [
        ("resnet20", 32, "layer3", (8, 8)),
        ("resnet18", 64, "layer3", (4, 4)),  # layer4 has 2x2
        ("mobilenet_v3_small", 128, "features.12", (4, 4)),
        ("squeezenet1_1", 96, "features.12", (5, 5)),
        ("vit", 32, "encoder.layers.encoder_layer_0", (4, 4)),  # the head reads the class token alone
        ("swin", 32, "features.3", (4, 4)),
    ],
)
def test_the_last_layer_with_a_grid_that_the_output_depends_on(name, side, layer, grid):
    of_layer = features(output_of(name), pixels(side, side))
    assert of_layer.values.shape[:2] == grid == of_layer.gradient.shape[:2]
    assert of_layer.layer == layer
    assert bool(of_layer.gradient.any())


def test_a_stage_or_a_module_may_be_named():
    output = output_of("resnet20")
    assert features(output, pixels(), "layer1").values.shape == (32, 32, 16)
    assert features(output, pixels(), "layer2.1.conv1").values.shape == (16, 16, 32)
    with pytest.raises(ExperimentError, match=r"no stage or module 'layr3'; did you mean 'layer3'"):
        features(output, pixels(), "layr3")


def test_a_network_without_a_grid_says_so():
    with pytest.raises(CannotExplain, match="needs a layer with a spatial grid"):
        features(linear_output(32, 32), pixels())


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(self.conv(x.float()).relu_().mean(dim=(2, 3)))


def test_layers_that_work_in_place_do_not_change_what_was_recorded():
    model = InPlace().eval()
    output = ExplainedOutput(model, model, (Stage("conv", ("conv",)), Stage("head", ("fc",))), "sigmoid", 0)
    of_layer = features(output, pixels(8, 8))
    assert torch.equal(of_layer.values, model.conv(pixels(8, 8).float()).detach()[0].permute(1, 2, 0))
    assert bool((of_layer.values < 0).any())


@pytest.mark.parametrize(
    ("tokens", "size", "prefix", "grid"),
    [
        (197, (224, 224), 1, (14, 14, 1)),
        (198, (224, 224), 2, (14, 14, 2)),
        (196, (224, 224), 1, (14, 14, 0)),  # before the class token is added
        (51, (160, 320), 1, (5, 10, 1)),
        (60, (224, 224), 1, None),
    ],
)
def test_grids_of_tokens(tokens, size, prefix, grid):
    result = token_grid(tokens, size, prefix)
    assert grid == (None if result is None else (result.rows, result.columns, result.prefix))


def test_layouts_of_grids():
    output = output_of("resnet20")  # 64 features before the head
    assert grid_of(output, torch.zeros(1, 64, 8, 8), (32, 32)).channels_first
    assert not grid_of(output, torch.zeros(1, 8, 8, 64), (32, 32)).channels_first
    assert grid_of(output, torch.zeros(1, 8, 4, 64), (64, 32)).rows == 8
    assert grid_of(output, torch.zeros(1, 64, 64, 64), (64, 64)).channels_first
    assert grid_of(output, torch.zeros(4, 64, 8, 8), (32, 32)) is None  # windows
    assert grid_of(output, torch.zeros(1, 64, 1, 1), (32, 32)) is None
    assert grid_of(output, torch.zeros(1, 64), (32, 32)) is None
