"""Folders in timm's layout: what timm itself makes of the preprocessing, and what is refused."""

import re
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from timm.data import create_transform, resolve_data_config
from torchvision.models import get_model
from transformers import AutoConfig

from ftaug.config.experiment import ModelInput
from ftaug.errors import ExperimentError
from ftaug.image.backbones import timm as timm_backbone
from ftaug.image.backbones import torchvision as torchvision_backbone
from ftaug.image.backbones.timm_folder import data_config
from ftaug.image.io.encode import encode
from ftaug.image.samples import pipeline, prepare

CLASSES = ("cat", "dog", "ré\nd")
SIZES = ((2, 3), (28, 28), (61, 140), (333, 150), (260, 389), (700, 401))
EXPECTED = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "interpolation": "bicubic"}
CASES = [
    {"size": [224, 224], "resize": 256},
    {"size": [224, 224], "resize": 232, "interpolation": "bilinear"},
    {"size": [96, 96], "resize": 101},
    {"size": [96, 96], "resize": 96, "interpolation": "nearest"},
    {"size": [64, 64], "resize": None},
    {"size": [64, 96], "resize": None},
    {"size": [64, 64], "resize": 71, "crop_mode": "squash"},
    {"size": [64, 64], "resize": None, "crop_mode": "border"},
    {"size": [64, 96], "resize": 70, "crop_mode": "border"},
]


@pytest.fixture
def rows_first(monkeypatch):
    """Pillow 13 resizes some pictures' columns first, which is worth a few gray levels; older ones never do."""
    resize = Image.Image.resize

    def in_two_steps(image, size, resample):
        return resize(resize(image, (size[0], image.height), resample), size, resample)

    monkeypatch.setattr(Image.Image, "resize", in_two_steps)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_transform_of_timm_gives_the_pixels_of_evaluation(case, rows_first):
    preprocessing = EXPECTED | case
    transform = create_transform(**resolve_data_config(pretrained_cfg=data_config(preprocessing)), is_training=False)
    way = pipeline((), preprocessing)
    mean, std = (torch.tensor(EXPECTED[key]).view(3, 1, 1) for key in ("mean", "std"))
    rng = np.random.default_rng(0)
    for height, width in SIZES:
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        seen = 255 * (transform(Image.fromarray(pixels)) * std + mean)
        wanted = prepare(encode(pixels), way, None)[0].transpose(2, 0, 1)
        np.testing.assert_allclose(seen, wanted, atol=1e-3, err_msg=f"{height}×{width}")


def test_every_resize_of_a_square_has_a_crop_pct():
    for side in (32, 96, 224, 299, 384):
        for resize in range(side, 3 * side):
            crop_pct = data_config(EXPECTED | {"size": [side, side], "resize": resize})["crop_pct"]
            assert int(side / crop_pct) == resize


@pytest.mark.parametrize("size", [(499, 148), (331, 192), (75, 517)])
def test_every_resize_of_other_proportions_has_a_crop_pct(size):
    for resize in range(min(size), 4 * min(size)):
        config = data_config(EXPECTED | {"size": list(size), "resize": resize, "crop_mode": "border"})
        box = [side * resize // min(size) for side in size]
        assert [int(side / config["crop_pct"]) for side in size] == box


def test_a_crop_of_other_proportions_is_refused():
    message = (
        "exporter 'transformers': timm cannot crop 64×96 pixels out of a shorter side of 70; "
        "use onnx, torch_export or safetensors, or train with a square input.size"
    )
    with pytest.raises(ExperimentError, match=re.escape(message)):
        data_config(EXPECTED | {"size": [64, 96], "resize": 70})


NETWORKS = {
    "timm/test_resnet": lambda: timm_backbone.timm("timm/test_resnet", CLASSES, weights="none"),
    "timm/test_vit": lambda: timm_backbone.timm("timm/test_vit", CLASSES, ModelInput(size=64), weights="none"),
    "resnet18": lambda: torchvision_backbone.torchvision("resnet18", CLASSES, weights="none"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_timm_loads_the_folder(name: str, tmp_path: Path):
    torch.manual_seed(0)
    backbone = NETWORKS[name]()
    backbone.save(tmp_path / "model")
    AutoConfig.from_pretrained(tmp_path / "model").save_pretrained(tmp_path / "model")  # as the exporter does
    network = timm.create_model(f"local-dir:{tmp_path / 'model'}", pretrained=True).eval()
    other_classes = timm.create_model(f"local-dir:{tmp_path / 'model'}", pretrained=True, num_classes=5)
    batch = torch.randn(2, 3, *backbone.preprocessing["size"])
    with torch.inference_mode():
        assert torch.equal(network(batch), backbone.network.eval()(batch))
    assert other_classes.num_classes == 5
    assert network.pretrained_cfg["label_names"] == list(CLASSES)


@pytest.mark.parametrize("name", ["resnet34", "resnext50_32x4d", "wide_resnet50_2", "densenet121"])
def test_timm_has_the_same_network_as_torchvision(name):
    options = {"num_classes": 3}
    theirs, ours = timm.create_model(name, **options).eval(), get_model(name, weights=None, **options).eval()
    theirs.load_state_dict(ours.state_dict())
    batch = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(theirs(batch), ours(batch), rtol=1e-4, atol=1e-5)


def test_other_networks_of_torchvision_are_refused(tmp_path):
    backbone = torchvision_backbone.torchvision("squeezenet1_1", CLASSES, weights="none")
    message = (
        "exporter 'transformers': transformers cannot load torchvision's squeezenet1_1, only its ResNets and "
        "DenseNets; use onnx, torch_export or safetensors"
    )
    with pytest.raises(ExperimentError, match=re.escape(message)):
        backbone.save(tmp_path / "model")
