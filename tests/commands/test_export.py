import json
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from ftaug.cli import run
from ftaug.commands import export
from ftaug.config.kinds import exporter
from ftaug.errors import ExperimentError


@pytest.fixture(scope="module")
def exported(desk):
    formats = ("onnx", "torch_export", "safetensors")
    assert run(["export", str(desk / "run"), *(part for name in formats for part in ("--format", name))]) == 0
    return desk / "run" / "exports"


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_each_target_has_a_folder_and_nothing_else_is_left(exported):
    assert {folder: names(exported / folder) for folder in names(exported)} == {
        "onnx": ["colours.onnx", "parity.json"],
        "safetensors": ["colours.safetensors", "colours.safetensors.json", "parity.json"],
        "torch_export": ["colours.pt2", "parity.json"],
    }


def test_parity_is_recorded_on_the_validation_split(exported):
    for target in ("onnx", "torch_export", "safetensors"):
        entry = json.loads((exported / target / "parity.json").read_text())
        assert (entry["format"], entry["parity"]) == (target, True)
        assert (entry["split"], entry["samples"], entry["equal_predictions"]) == ("val", 18, 1.0)
        assert entry["largest_difference"] < 1e-3
        assert entry["metric"]["name"] == "f1"
        assert entry["metric"]["original"] == entry["metric"]["exported"]
        assert sorted([*entry["files"], "parity.json"]) == names(exported / target)


def test_onnx_alone_gives_the_probabilities_that_predict_gives(desk, exported, capsys):
    """What a user does who has the file, numpy and ONNX Runtime, and never heard of ftaug."""
    session = onnxruntime.InferenceSession(exported / "onnx" / "colours.onnx")
    facts = session.get_modelmeta().custom_metadata_map
    path = desk / "photos" / "test" / "green" / "03.png"
    assert json.loads(facts["inputs"]) == {"images": {"shape": ["batch", "height", "width", 3], "type": "uint8"}}
    probabilities, logits = session.run(None, {"images": np.asarray(Image.open(path))[None]})
    (chances,) = probabilities
    np.testing.assert_allclose(np.exp(logits[0]) / np.exp(logits[0]).sum(), chances, rtol=1e-5)
    assert run(["predict", str(desk / "run"), str(path), "--top-k", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)[0]["predictions"]
    for name, chance in zip(json.loads(facts["classes"]), chances, strict=True):
        assert next(one["probability"] for one in found if one["class"] == name) == pytest.approx(chance, abs=1e-4)


@pytest.fixture(params=["another class", "not a number", "smaller"])
def drifting(request):
    """An exporter whose artefact answers otherwise than the model."""
    changes = {
        "another class": lambda logits: logits + torch.tensor([0.0, 0.0, 50.0]),
        "not a number": lambda logits: logits * float("nan"),
        "smaller": lambda logits: logits,
    }

    def drifting(bundle, path):
        """Answer otherwise than the model."""
        path.write_bytes(b"artefact")
        return lambda batch: {"logits": changes[request.param](bundle.model(batch.inputs))}

    exporter.register(suffix=".drift")(drifting)
    yield request.param != "smaller"
    del exporter._entries["drifting"]


def test_an_artefact_is_kept_only_if_it_answers_as_the_model_does(desk, exported, drifting, capsys):
    code = run(["export", str(desk / "run"), "--format", "drifting", "--format", "safetensors", "--json"])
    shown, errors = capsys.readouterr()
    entries = json.loads(shown)
    assert code == (5 if drifting else 0)
    assert (exported / "drifting" / "colours.drift").exists() is not drifting
    assert entries["drifting/colours.drift"]["parity"] is not drifting
    assert entries["safetensors/colours.safetensors"]["parity"] is True
    assert all(Path(path).is_file() for entry in entries.values() for path in entry["files"])
    assert ("drifting/colours.drift: does not answer as the model does; not kept" in errors) is drifting
    assert not [name for name in names(exported) if name.startswith(".")]
    shutil.rmtree(exported / "drifting", ignore_errors=True)


def test_what_is_printed_says_what_was_compared(desk, exported, capsys):
    assert run(["export", str(desk / "run"), "--format", "safetensors"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("compared on 18 val samples and 8 synthetic samples")
    for words in ("colours.safetensors", "100.00%", "wrote ", "colours.safetensors.json"):
        assert words in shown


def test_a_format_may_have_settings():
    assert export.component("{onnx: {opset: 20}}").settings["opset"] == 20


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("onx", "no exporter 'onx'; did you mean 'onnx'?"),
        ("{onnx: {opset: 3}}", "opset must be an opset from 18 to 23; got 3"),
        ("{onnx: {ops: 3}}", "unknown key 'ops'"),
    ],
)
def test_formats_that_do_not_exist_are_refused(text, words):
    with pytest.raises(ExperimentError) as caught:
        export.component(text)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"--format {text}: ")
