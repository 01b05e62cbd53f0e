"""`input`: one size for training, evaluation and export; what networks make of it."""

import json
from functools import partial

import numpy as np
import onnxruntime
import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.layers import resample_abs_pos_embed
from torchvision.models import vision_transformer

from ftaug.cli import run
from ftaug.config.experiment import ModelInput
from ftaug.config.registry import Component
from ftaug.errors import ExperimentError
from ftaug.experiment_file import import_components, load
from ftaug.image.augmentations.end_size import check_size_after
from ftaug.image.samples import draw, pipeline, plan
from ftaug.interfaces.model import Backbone

import_components("image")

CLASSES = ("a", "b", "c")


def made(name: str, input: ModelInput, weights: str = "none") -> Backbone:
    return Component("backbone", name, {"weights": weights}, "image")(CLASSES, input)


@pytest.mark.parametrize("name", ["resnet18", "swin_t", "timm/test_vit", "timm/test_resnet", "timm/test_convnext"])
def test_networks_take_the_size(name):
    built = made(name, ModelInput(size=(96, 64)))
    assert built.preprocessing["size"] == [96, 64]
    assert built.network.eval()(torch.zeros(1, 3, 96, 64)).shape == (1, 3)


@pytest.mark.parametrize(
    ("name", "input", "message"),
    [
        ("vit_b_32", ModelInput(size=100), r"input\.size: vit_b_32 does not support 100×100 pixels \("),
        ("vit_b_32", ModelInput(size=(96, 64)), r"input\.size must be a square for vit_b_32; got 96×64"),
        ("vit_b_32", ModelInput(train_size=160), r"input\.train_size must be 224×224: vit_b_32 is built for one size"),
        ("maxvit_t", ModelInput(size=256), r"input\.size: maxvit_t does not support 256×256 pixels"),
        ("inception_v3", ModelInput(size=32), r"input\.size: inception_v3 does not support 32×32 pixels"),
        ("timm/test_vit", ModelInput(train_size=96), r"input\.train_size must be 160×160: timm/test_vit is built for"),
    ],
)
def test_sizes_that_a_network_cannot_take(name, input, message):
    with pytest.raises(ExperimentError, match=message):
        made(name, input)


def test_positions_of_torchvisions_vit_are_resampled_as_timm_does(tmp_path):
    donor = vision_transformer.vit_b_32(num_classes=3)
    torch.nn.init.normal_(donor.encoder.pos_embedding)
    save_file(donor.state_dict(), tmp_path / "w.safetensors")
    built = made("vit_b_32", ModelInput(size=96), str(tmp_path / "w.safetensors"))
    built.load_pretrained()
    expected = resample_abs_pos_embed(donor.encoder.pos_embedding, [3, 3])
    torch.testing.assert_close(built.network.encoder.pos_embedding, expected)


def test_positions_of_timms_vit_are_resampled_as_timm_does(tmp_path):
    donor = timm.create_model("test_vit", num_classes=3)
    torch.nn.init.normal_(donor.pos_embed)
    file = str(tmp_path / "w.safetensors")
    save_file(donor.state_dict(), file)
    built = made("timm/test_vit", ModelInput(size=(96, 64)), file)
    built.load_pretrained()
    overlay = {"file": file, "num_classes": 3}
    oracle = timm.create_model(
        "test_vit", pretrained=True, pretrained_cfg_overlay=overlay, num_classes=3, img_size=(96, 64)
    )
    torch.testing.assert_close(built.network.pos_embed, oracle.pos_embed)
    assert not torch.equal(built.network.pos_embed[:, -1], donor.pos_embed[:, -1])


def test_weights_that_fit_one_size_only_say_so(tmp_path):
    donor = timm.create_model("mixer_s32_224", num_classes=3)
    save_file(donor.state_dict(), tmp_path / "w.safetensors")
    built = made("timm/mixer_s32_224", ModelInput(size=128), str(tmp_path / "w.safetensors"))
    with pytest.raises(ExperimentError, match=r"input\.size: the weights of timm/mixer_s32_224 are for another size: "):
        built.load_pretrained()


EXPERIMENT = """
data: {{train: {{digits: {{per_class: 2}}}}, val: null, test: {{digits: {{per_class: 1}}}}, workers: 0}}
backbone: {{resnet20: {{weights: letters}}}}
input: {input}
augment: [{augment}]
train: {{epochs: 1}}
"""


def experiment(folder, input="{}", augment=""):
    path = folder / "digits.yaml"
    path.write_text(EXPERIMENT.format(input=input, augment=augment))
    return path


def train_pipeline(path):
    loaded = load(path)
    preprocessing = loaded.backbone(CLASSES, loaded.input).preprocessing
    return pipeline(loaded.augment, preprocessing)


@pytest.mark.parametrize(
    ("input", "augment", "size"),
    [
        ("{size: 48}", "random_resized_crop", (48, 48)),
        ("{size: 48}", "", (48, 48)),
        ("{train_size: 24}", "random_resized_crop, rotate", (24, 24)),
        ("{train_size: [24, 16]}", "horizontal_flip", (24, 16)),
    ],
)
def test_crops_take_the_size_and_evaluation_its_own(tmp_path, input, augment, size):
    way = train_pipeline(experiment(tmp_path, input, augment))
    picture = np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)
    assert way(picture, lambda name: np.random.default_rng(1)).shape == (*size, 3)
    wanted = size if "train_size" not in input else (32, 32)
    assert way(picture, None).shape == (*wanted, 3)
    check_size_after(way)


@pytest.mark.parametrize(
    ("input", "augment", "message"),
    [
        (
            "{}",
            "{random_resized_crop: {size: 64}}",
            "leaves 64×64 pixels, and evaluation looks at 32×32; leave its size out, set input: {size: 64}, or input: "
            "{train_size: 64} if only training is to see it",
        ),
        ("{train_size: 24}", "{random_crop: {size: [16, 24]}}", "leaves 16×24 pixels, and training takes 24×24"),
        ("{}", "{resize: {size: 20, mode: squash}}, horizontal_flip", "leaves 20×20 pixels"),
        ("{}", "{one_of: {choices: [{random_crop: {size: 16}}, random_crop]}}", "leaves 16×16 pixels"),
    ],
)
def test_training_and_evaluation_at_different_sizes_is_an_error(tmp_path, capsys, input, augment, message):
    assert run(["train", str(experiment(tmp_path, input, augment)), "--run-dir", str(tmp_path / "run")]) == 2
    assert message in capsys.readouterr().err


def stream(draw, name):
    return np.random.default_rng([draw, len(name)])


@pytest.mark.parametrize("verb", [draw, plan])
def test_a_rare_crop_of_another_size_is_an_error_when_it_comes(tmp_path, verb):
    path = experiment(tmp_path, "{}", "{apply: {ops: [{random_crop: {size: 24}}], probability: 0.02}}")
    way = train_pipeline(path)
    check_size_after(way)  # it is not among the draws that are tried
    message = "augment: random_crop leaves 24×24 pixels, and evaluation looks at 32×32; leave its size out, set input:"
    with pytest.raises(ExperimentError, match=message):
        for number in range(500):
            apply, _ = verb(np.zeros((50, 70, 3), np.uint8), way, partial(stream, number))
            apply()


def test_training_evaluation_and_export_follow_the_size(tmp_path, capsys):
    path = experiment(tmp_path, "{size: [40, 48]}", "random_resized_crop")
    folder = tmp_path / "run"
    assert run(["train", str(path), "--run-dir", str(folder), "--device", "cpu"]) == 0
    assert json.loads((folder / "model.json").read_text())["preprocessing"]["size"] == [40, 48]
    assert run(["evaluate", str(folder)]) == 0
    assert run(["export", str(folder), "--format", "{onnx: {input: pixels}}"]) == 0
    exported = next((folder / "exports").glob("onnx/*.onnx"))
    (pixels,) = onnxruntime.InferenceSession(exported).get_inputs()
    assert pixels.shape[1:] == [3, 40, 48]


def test_texts_have_no_input_size(tmp_path, capsys):
    path = tmp_path / "texts.yaml"
    path.write_text("modality: text\ndata: {train: docstrings}\nbackbone: tiny_text\ninput: {size: 64}\n")
    assert run(["validate", str(path)]) == 2
    assert (
        "input.size has no effect for modality text: texts are cut at the backbone's max_length"
        in capsys.readouterr().err
    )
