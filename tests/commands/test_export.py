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
    return sorted(path.name for path in folder.iterdir())


def test_artefacts_have_the_runs_name_and_nothing_else_is_left(exported):
    assert names(exported) == [
        "colours.json",
        "colours.onnx",
        "colours.pt2",
        "colours.safetensors",
        "parity.json",
    ]


def test_parity_is_recorded_on_the_validation_split(exported):
    record = json.loads((exported / "parity.json").read_text())
    assert set(record) == {"colours.onnx", "colours.pt2", "colours.safetensors"}
    for entry in record.values():
        assert entry["parity"] is True
        assert (entry["split"], entry["samples"], entry["equal_predictions"]) == ("val", 18, 1.0)
        assert entry["largest_difference"] < 1e-3
        assert entry["metric"]["name"] == "f1"
        assert entry["metric"]["original"] == entry["metric"]["exported"]
        assert all(Path(path).stat().st_size > 0 for path in entry["files"])


def test_onnx_alone_gives_the_probabilities_that_predict_gives(desk, exported, capsys):
    """What a user does who has the file, numpy and ONNX Runtime, and never heard of ftaug."""
    session = onnxruntime.InferenceSession(exported / "colours.onnx")
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
    assert (exported / "colours.drift").exists() is not drifting
    assert entries["colours.drift"]["parity"] is not drifting
    assert entries["colours.safetensors"]["parity"] is True
    assert ("colours.drift: does not answer as the model does; not kept" in errors) is drifting
    assert json.loads((exported / "parity.json").read_text()).items() >= entries.items()
    assert not [name for name in names(exported) if name.startswith(".tmp")]
    (exported / "colours.drift").unlink(missing_ok=True)


def test_without_the_data_an_export_is_compared_on_synthetic_samples(desk, exported, capsys):
    """A run folder is all that `export` needs."""
    (desk / "photos").rename(desk / "elsewhere")
    try:
        assert run(["export", str(desk / "run"), "--format", "onnx", "--format", "{safetensors: {}}"]) == 0
    finally:
        (desk / "elsewhere").rename(desk / "photos")
    assert "compared on 8 synthetic samples: the run's data cannot be read (" in capsys.readouterr().out
    entry = json.loads((exported / "parity.json").read_text())["colours.onnx"]
    assert (entry["split"], entry["samples"], entry["parity"], entry["metric"]) == ("synthetic", 8, True, None)
    assert str(desk / "photos") in entry["without_data"]
    assert entry["largest_probability_difference"] < 1e-4
    assert run(["export", str(desk / "run"), "--format", "onnx"]) == 0
    assert json.loads((exported / "parity.json").read_text())["colours.onnx"]["without_data"] is None


def test_views_that_an_export_does_not_have_are_said(desk, tmp_path, capsys):
    """The metric beside the export's is that of one view; the one of `evaluate` is told apart."""
    viewed = tmp_path / "run"
    shutil.copytree(desk / "run", viewed, ignore=shutil.ignore_patterns("exports"), symlinks=True)
    resolved = (viewed / "resolved.yaml").read_text()
    assert "  views: null\n" in resolved
    (viewed / "resolved.yaml").write_text(resolved.replace("  views: null\n", "  views: ten_crop\n"))
    assert run(["evaluate", str(viewed), "--split", "val", "--json"]) == 0
    of_evaluate = json.loads(capsys.readouterr().out)["metrics"]["f1"]
    assert run(["export", str(viewed), "--format", "onnx"]) == 0
    assert "not to evaluate.views: ten_crop (f1 " in capsys.readouterr().out
    metric = json.loads((viewed / "exports" / "parity.json").read_text())["colours.onnx"]["metric"]
    assert metric["views"] == "ten_crop" and metric["with_views"] == pytest.approx(of_evaluate, abs=1e-6)
    assert metric["original"] == metric["exported"]


def test_pixels_are_taken_cut_to_size_where_that_is_asked_for(desk, exported, capsys):
    assert run(["export", str(desk / "run"), "--format", "{onnx: {input: pixels}}"]) == 0
    session = onnxruntime.InferenceSession(exported / "colours.onnx")
    assert [(given.name, given.shape[1:]) for given in session.get_inputs()] == [("pixels", [3, 32, 32])]
    assert run(["export", str(desk / "run"), "--format", "onnx"]) == 0


def test_pictures_of_any_size_are_answered_as_predict_does(desk, exported, tmp_path, capsys):
    """Decoded by Pillow, and handed to what was exported as they are."""
    rng = np.random.default_rng(0)
    for number, shape in enumerate([(2, 3), (28, 28), (61, 140), (375, 500), (20, 400)]):
        Image.fromarray(rng.integers(0, 256, (*shape, 3), np.uint8)).save(tmp_path / f"{number}.png")
    paths = sorted(map(str, tmp_path.glob("*.png")))
    assert run(["predict", str(desk / "run"), *paths, "--top-k", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    session = onnxruntime.InferenceSession(exported / "colours.onnx")
    classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
    module = torch.export.load(exported / "colours.pt2").module()
    for path, row in zip(paths, found, strict=True):
        expected = {one["class"]: one["probability"] for one in row["predictions"]}
        images = np.asarray(Image.open(path))[None]
        with torch.inference_mode():
            in_torch = module(torch.tensor(images))[0].numpy()
        in_onnx = session.run(["probabilities"], {"images": images})[0]
        for answer, tolerance in ((in_onnx, 1e-4), (in_torch, 1e-3)):  # torch rounds its weights more
            assert dict(zip(classes, answer[0].tolist(), strict=True)) == pytest.approx(expected, abs=tolerance)


def test_what_is_printed_says_what_was_compared(desk, exported, capsys):
    assert run(["export", str(desk / "run"), "--format", "safetensors"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("compared on 18 val samples and 8 synthetic samples")
    for words in ("colours.safetensors", "100.00%", "wrote ", "colours.json"):
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
