"""The card is one of the hub, has no paths of this machine, and keeps what its author wrote."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from ftaug.cli import run
from ftaug.runs.export.formats import parse_format
from ftaug.runs.export.model_card import CardSource, base_model, model_card, without_paths
from ftaug.runs.export.reference import Reference
from ftaug.runs.open_run import open_run

EXPERIMENT = """
data:
  train: {image_folder: {path: photos}}
  val: {split: 25%}
  batch_size: 16
  workers: 0
backbone: {resnet20: {weights: letters}}
train: {epochs: 1, precision: fp32}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from doctor_data import photo

    folder = tmp_path_factory.mktemp("card")
    for label in ("cat", "dog|<b>"):
        (folder / "photos" / label).mkdir(parents=True)
        for number in range(8):
            photo(number + 100 * (label == "cat")).save(folder / "photos" / label / f"{number}.png")
    (folder / "pets.yaml").write_text(EXPERIMENT)
    assert run(["train", str(folder / "pets.yaml"), "--run-dir", str(folder / "run"), "--device", "cpu"]) == 0
    assert run(["evaluate", str(folder / "run")]) == 0
    return folder


@pytest.fixture(scope="module")
def source(trained):
    opened = open_run(trained / "run", "cpu")
    return CardSource(opened, Reference.of(opened).bundle, parse_format("onnx"), trained / "onnx" / "pets.onnx")


def test_the_hub_reads_it(trained, source):
    source.file.parent.mkdir()
    source.file.with_name("pets.onnx.py").touch()
    text = model_card(source)
    card = ModelCard(text)
    assert (card.data.license, card.data.pipeline_tag, card.data.library_name) == (
        "apache-2.0",
        "image-classification",
        "onnx",
    )
    report = json.loads((trained / "run" / "report" / "evaluate-val.json").read_text())
    results = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert results["accuracy"] == pytest.approx(report["metrics"]["accuracy"], abs=1e-6)
    assert {result.dataset_split for result in card.data.eval_results} == {"validation"}
    assert r"| dog\|&lt;b> | 6 |" in text
    assert "python pets.onnx.py FILE" in text
    assert "License of the pretrained weights (letters): Apache-2.0." in text
    assert "path: photos" in text and str(trained) not in text


@pytest.mark.parametrize(
    ("exporter", "usage", "library"),
    [
        ("transformers", 'model = pipeline("image-classification", model=".")', "transformers"),
        ("safetensors", "`safetensors.torch.load_file('pets.safetensors')` returns the weights", "ftaug"),
        ("adapter", "Start another run from it: ", "ftaug"),
    ],
)
def test_how_it_is_loaded(source, tmp_path, exporter, usage, library):
    text = model_card(replace(source, exporter=parse_format(exporter), file=tmp_path / "pets.safetensors"))
    assert usage in text
    assert ModelCard(text).data.library_name == library


def test_what_the_author_wrote_is_kept(trained):
    path = trained / "run" / "exports" / "safetensors" / "README.md"
    export = ["export", str(trained / "run"), "--format", "safetensors", "--require-license", "permissive"]
    assert run(export) == 0
    text = path.read_text()
    blocks = text.count("<!-- author: ")
    assert blocks == text.count("<!-- end -->") == 4
    assert "README.md" in json.loads(path.with_name("parity.json").read_text())["files"]
    before = "*To be written by the author: who should use the model for what, and for what not.*"
    path.write_text(text.replace(before, "For pets.\n\nNot for cars.").replace("license: apache-2.0", "license: mit"))
    assert run(export) == 0
    again = path.read_text()
    assert "<!-- author: intended use -->\nFor pets.\n\nNot for cars.\n<!-- end -->" in again
    assert ModelCard(again).data.license == "mit"
    assert again.count("<!-- author: ") == blocks


def test_a_license_that_is_not_permissive_ends_with_5(trained, capsys):
    path = trained / "run" / "model.json"
    about = path.read_text()
    try:
        path.write_text(about.replace("Apache-2.0", "CC-BY-NC-4.0"))
        arguments = ["export", str(trained / "run"), "--format", "adapter", "--require-license", "permissive"]
        assert run(arguments) == 5
        text = "the weights letters have the license CC-BY-NC-4.0, which is not permissive"
        assert f"--require-license permissive: {text}" in capsys.readouterr().err
        assert not (trained / "run" / "exports" / "adapter").exists()
        assert run(["inspect", str(trained / "run"), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["weights_license"] == "CC-BY-NC-4.0"
    finally:
        path.write_text(about)
    assert run(["inspect", str(trained / "run")]) == 0
    assert "license   Apache-2.0, of these weights" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("network", "source", "name"),
    [
        ("timm/resnet18", "timm resnet18.a1_in1k", "timm/resnet18.a1_in1k"),
        ("hf", "org/encoder-small", "org/encoder-small"),
        ("hf", "encoder", None),
        ("resnet18", "torchvision ResNet18_Weights.IMAGENET1K_V1", None),
        ("resnet20", "none", None),
    ],
)
def test_the_base_model(network, source, name):
    assert base_model({"network": {"name": network}, "weights": {"source": source}}) == name


def test_settings_have_no_paths():
    settings = {"a": {"path": str(Path("/home/me/photos")), "b": None}, "c": ["/x/y.csv", 3], "d": {}}
    assert without_paths(settings) == {"a": {"path": "photos"}, "c": ["y.csv", 3]}
