"""Maps of whole families of networks, small, with random weights: finite, not constant, on the right grid."""

import numpy as np
import pytest
import torch
from explained import Normalized, pixels

from ftaug.config.experiment import ModelInput
from ftaug.image import explainer
from ftaug.image.backbones.timm import timm
from ftaug.image.backbones.torchvision import torchvision
from ftaug.image.explainers.attention import attention_rollout
from ftaug.image.explainers.cam import grad_cam, hires_cam, layer_cam
from ftaug.image.explainers.occlusion import occlusion
from ftaug.interfaces.explanation import CannotExplain, ExplainedOutput

TORCHVISION = {
    "alexnet": (96, 5),
    "vgg11_bn": (96, 6),
    "resnet18": (96, 6),
    "squeezenet1_1": (96, 5),
    "densenet121": (96, 6),
    "inception_v3": (128, 6),
    "googlenet": (96, 6),
    "shufflenet_v2_x0_5": (96, 6),
    "mobilenet_v2": (96, 6),
    "mobilenet_v3_small": (96, 6),
    "mnasnet0_5": (96, 6),
    "efficientnet_b0": (96, 6),
    "regnet_x_400mf": (96, 6),
    "convnext_tiny": (96, 6),
    "swin_t": (96, 6),
    "vit_b_32": (128, 4),
    "maxvit_t": (224, 7),
}
"""Side of the input, and rows of the grid; a layer with fewer than four rows is passed over for an earlier one."""

TIMM = {
    "timm/resnet18": (96, 6),
    "timm/vit_tiny_patch16_224": (96, 6),
    "timm/deit_tiny_distilled_patch16_224": (96, 6),
    "timm/convnext_atto": (96, 6),
    "timm/swin_tiny_patch4_window7_224": (224, 7),
    "timm/mixer_s32_224": (224, 7),
    "timm/efficientnet_b0": (96, 6),
    "timm/mobilenetv3_small_050": (96, 6),
    "timm/regnetx_002": (96, 6),
    "timm/poolformer_s12": (96, 6),
    "timm/cait_xxs24_224": (224, 14),
    "timm/eva02_tiny_patch14_224": (224, 16),
    "timm/mobilevit_xxs": (128, 4),
    "timm/edgenext_xx_small": (128, 4),
    "timm/focalnet_tiny_srf": (96, 6),
    "timm/pit_ti_224": (224, 14),
    "timm/resmlp_12_224": (224, 14),
    "timm/mvitv2_tiny": (224, 7),
    "timm/ghostnet_050": (96, 6),
    "timm/crossvit_tiny_240": (240, None),  # two grids at once
}

FAMILIES = TORCHVISION | TIMM


def output_of(name, side):
    torch.manual_seed(0)
    fixed = name in ("timm/crossvit_tiny_240",)
    build = timm if name.startswith("timm/") else torchvision
    backbone = build(name, ("a", "b", "c"), ModelInput(size=None if fixed else side), weights="none")
    for parameter, tensor in backbone.network.named_parameters():
        if backbone.stages[-1].holds(parameter) and tensor.ndim > 1:
            torch.nn.init.normal_(tensor, std=0.1)
    return ExplainedOutput(Normalized(backbone.network).eval(), backbone.network, backbone.stages, "softmax", 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_maps_are_finite_not_constant_and_on_the_right_grid(name):
    side, rows = FAMILIES[name]
    output, sample = output_of(name, side), pixels(side, side)
    if rows is None:
        with pytest.raises(CannotExplain, match="needs a layer with a spatial grid"):
            grad_cam(output, sample)
        maps = [occlusion(output, sample).values]
        assert maps[0].shape == (8, 8)
    else:
        maps = [method(output, sample).values for method in (grad_cam, hires_cam, layer_cam)]
        assert {values.shape for values in maps} == {(rows, rows)}
    for values in maps:
        assert np.isfinite(values).all()
        assert np.ptp(values) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vit_b_32", "timm/vit_tiny_patch16_224", "timm/eva02_tiny_patch14_224"])
def test_rollout_of_vits(name):
    side, rows = FAMILIES[name]
    values = attention_rollout(output_of(name, side), pixels(side, side)).values
    assert values.shape == (rows, rows)
    assert values.min() > 0 and np.ptp(values) > 0
    assert 0 < values.sum() <= 1 + 1e-6


def test_every_method_is_tried_on_a_family():
    tried = {"grad_cam", "hires_cam", "layer_cam", "occlusion", "attention_rollout", "integrated_gradients"}
    assert set(explainer) == tried
