import json
import resource
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image
from run_files import train_colors
from small_networks import small_resnet

from ftaug.cli import run
from ftaug.components.exporters import timing
from ftaug.config.kinds import exporter
from ftaug.errors import NotReached

__all__ = ["small_resnet"]


@pytest.fixture(scope="module", autouse=True)
def _short_timing():
    """Run each export once to time it."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(timing, "ROUNDS", 1)
        yield


@pytest.fixture(scope="module")
def desk(desk, small_resnet, tmp_path_factory):
    """A folder as that of the other tests, with a run of a network that is exported sooner."""
    folder = tmp_path_factory.mktemp("exports")
    shutil.copytree(desk / "photos", folder / "photos")
    shutil.copy(desk / "colors.yaml", folder)
    assert train_colors(folder, folder / "run") == 0
    return folder


@pytest.fixture
def copied(desk, tmp_path):
    """The run without exports, in a folder of its own."""
    shutil.copytree(desk / "run", tmp_path / "run", symlinks=True, ignore=shutil.ignore_patterns("exports"))
    return tmp_path / "run"


@pytest.fixture(scope="module")
def exported(desk):
    formats = ("onnx", "torch_export", "safetensors")
    assert run(["export", str(desk / "run"), *(part for name in formats for part in ("--format", name))]) == 0
    return desk / "run" / "exports"


def names(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_each_target_has_a_folder_and_nothing_else_is_left(exported):
    assert {folder: names(exported / folder) for folder in names(exported)} == {
        "onnx": ["README.md", "colors.onnx", "colors.onnx.py", "parity.json"],
        "safetensors": ["README.md", "colors.safetensors", "colors.safetensors.json", "parity.json"],
        "torch_export": ["README.md", "colors.pt2", "colors.pt2.py", "parity.json"],
    }


def test_parity_is_recorded_on_the_validation_split(exported):
    for target in ("onnx", "torch_export", "safetensors"):
        entry = json.loads((exported / target / "parity.json").read_text())
        assert (entry["format"], entry["parity"]) == (target, True)
        assert (entry["split"], entry["samples"], entry["equal_predictions"]) == ("val", 18, 1.0)
        assert entry["largest_difference"] < 1e-3
        assert entry["metric"]["name"] == "f1"
        assert entry["metric"]["original"] == entry["metric"]["exported"]
        assert {size for size, time in entry["milliseconds"].items() if time > 0} == {"1", "16"}
        assert sorted([*entry["files"], "parity.json"]) == names(exported / target)


def test_int8_is_calibrated_on_training_samples_and_accepted_by_the_metric(desk, exported, capsys):
    settings = "samples: 32, speedup: 0, mode: static"
    assert run(["export", str(desk / "run"), "--format", f"{{onnx_int8: {{{settings}, tolerance: 1}}}}", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out).values()
    loss = entry["metric"]["loss"]
    assert loss["value"] == pytest.approx(entry["metric"]["original"] - entry["metric"]["exported"])
    assert (loss["tolerance"], entry["parity"]) == (1, True)
    session = onnxruntime.InferenceSession(exported / "onnx_int8" / "colors.int8.onnx")
    facts = json.loads(session.get_modelmeta().custom_metadata_map["quantization"])
    assert facts == {"mode": "static", "calibration": "minmax", "samples": 32}
    assert entry["bytes"] < json.loads((exported / "onnx" / "parity.json").read_text())["bytes"] / 2


def test_onnx_alone_gives_the_probabilities_that_predict_gives(desk, exported, capsys):
    """What a user does who has the file, numpy and ONNX Runtime, and never heard of ftaug."""
    session = onnxruntime.InferenceSession(exported / "onnx" / "colors.onnx")
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
    """An exporter whose artifact answers otherwise than the model."""
    changes = {
        "another class": lambda logits: logits + torch.tensor([0.0, 0.0, 50.0]),
        "not a number": lambda logits: logits * float("nan"),
        "smaller": lambda logits: logits,
    }

    def drifting(bundle, path):
        """Answer otherwise than the model."""
        path.write_bytes(b"artifact")
        return lambda batch: {"logits": changes[request.param](bundle.model(batch.inputs))}

    exporter.register(suffix=".drift")(drifting)
    yield request.param != "smaller"
    del exporter._entries["drifting"]


def test_an_artifact_is_kept_only_if_it_answers_as_the_model_does(desk, exported, drifting, capsys):
    code = run(["export", str(desk / "run"), "--format", "drifting", "--format", "safetensors", "--json"])
    shown, errors = capsys.readouterr()
    entries = json.loads(shown)
    assert code == (5 if drifting else 0)
    assert (exported / "drifting" / "colors.drift").exists() is not drifting
    assert entries["drifting/colors.drift"]["parity"] is not drifting
    assert entries["safetensors/colors.safetensors"]["parity"] is True
    assert all(Path(path).is_file() for entry in entries.values() for path in entry["files"])
    assert (
        "drifting/colors.drift: its predictions differ from the model's: probabilities or numbers by up to" in errors
    ) is drifting
    assert not [name for name in names(exported) if name.startswith(".")]
    shutil.rmtree(exported / "drifting", ignore_errors=True)


def test_an_artifact_that_is_too_slow_is_refused_and_the_next_one_written(copied, capsys):
    @exporter.register(suffix=".slow")
    def slow(bundle, path):
        """Refuse what was written."""
        raise NotReached("exporter 'slow': it is less than 1000 times as fast as fp32")

    try:
        code = run(["export", str(copied), "--format", "slow", "--format", "safetensors"])
    finally:
        del exporter._entries["slow"]
    assert code == 5
    assert "it is less than 1000 times as fast as fp32" in capsys.readouterr().err
    assert names(copied / "exports") == ["safetensors"]


def test_without_the_data_an_export_is_compared_on_synthetic_samples(desk, copied, capsys):
    """A run folder is all that `export` needs."""
    (desk / "photos").rename(desk / "elsewhere")
    try:
        assert run(["export", str(copied), "--format", "{safetensors: {}}"]) == 0
    finally:
        (desk / "elsewhere").rename(desk / "photos")
    shown = capsys.readouterr().out
    assert "compared on 8 synthetic samples: the run's data cannot be read (" in shown
    assert str(desk / "photos") in shown.replace("\n", "")
    record = copied / "exports" / "safetensors" / "parity.json"
    entry = json.loads(record.read_text())
    assert (entry["split"], entry["samples"], entry["parity"], entry["metric"]) == ("synthetic", 8, True, None)
    assert entry["synthetic_only"] and str(desk) not in json.dumps(entry)
    assert entry["largest_probability_difference"] < 1e-4
    assert run(["export", str(copied), "--format", "safetensors"]) == 0
    assert not json.loads(record.read_text())["synthetic_only"]


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("static", "exporter 'onnx_int8': mode static needs the training data to calibrate; "),
        ("dynamic", "only the metric shows whether it can be used: "),
    ],
)
def test_int8_needs_the_data(desk, exported, capsys, mode, words):
    (desk / "photos").rename(desk / "elsewhere")
    try:
        code = run(["export", str(desk / "run"), "--format", f"{{onnx_int8: {{mode: {mode}, speedup: 0}}}}"])
    finally:
        (desk / "elsewhere").rename(desk / "photos")
    assert code == 66
    assert words in capsys.readouterr().err
    assert not [name for name in names(exported) if name.startswith(".")]


def test_views_that_an_export_does_not_have_are_said(copied, capsys):
    """The metric beside the export's is that of one view; the one of `evaluate` is told apart."""
    resolved = (copied / "resolved.yaml").read_text()
    assert "  tta: null\n" in resolved
    (copied / "resolved.yaml").write_text(resolved.replace("  tta: null\n", "  tta: ten_crop\n"))
    assert run(["evaluate", str(copied), "--split", "val", "--json"]) == 0
    of_evaluate = json.loads(capsys.readouterr().out)["metrics"]["f1"]
    assert run(["export", str(copied), "--format", "safetensors"]) == 0
    assert "without evaluate.tta: ten_crop (f1 " in capsys.readouterr().out
    metric = json.loads((copied / "exports" / "safetensors" / "parity.json").read_text())["metric"]
    assert metric["views"] == "ten_crop" and metric["with_views"] == pytest.approx(of_evaluate, abs=1e-6)
    assert metric["original"] == metric["exported"]


def test_pixels_are_taken_cut_to_size_where_that_is_asked_for(copied):
    assert run(["export", str(copied), "--format", "{onnx: {input: pixels}}"]) == 0
    session = onnxruntime.InferenceSession(copied / "exports" / "onnx" / "colors.onnx")
    assert [(given.name, given.shape[1:]) for given in session.get_inputs()] == [("pixels", [3, 32, 32])]


def test_pictures_of_any_size_are_answered_as_predict_does(desk, exported, tmp_path, capsys):
    """Decoded by Pillow, and handed to what was exported as they are."""
    rng = np.random.default_rng(0)
    for number, shape in enumerate([(2, 3), (28, 28), (61, 140), (375, 500), (20, 400)]):
        Image.fromarray(rng.integers(0, 256, (*shape, 3), np.uint8)).save(tmp_path / f"{number}.png")
    paths = sorted(map(str, tmp_path.glob("*.png")))
    assert run(["predict", str(desk / "run"), *paths, "--top-k", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    session = onnxruntime.InferenceSession(exported / "onnx" / "colors.onnx")
    classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
    module = torch.export.load(exported / "torch_export" / "colors.pt2").module()
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
    for words in (" safetensors ", "100.0%", "ms 16", "wrote ", "colors.safetensors.json"):
        assert words in shown


@pytest.mark.parametrize("target", ["onnx", "torch_export", "safetensors"])
def test_a_full_disk_ends_with_its_code_and_leaves_nothing_half(desk, exported, target, capfd):
    before = {path: path.stat().st_mtime_ns for path in exported.rglob("*") if path.name != ".lock"}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        code = run(["export", str(desk / "run"), "--format", target])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert code == 74
    assert f"{exported / target}: cannot be written: File too large; " in capfd.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in exported.rglob("*") if path.name != ".lock"} == before


def test_a_run_that_is_not_complete_says_so_on_the_screen_and_in_the_file(copied, capsys):
    (copied / "complete.json").unlink()
    assert run(["export", str(copied), "--format", "safetensors"]) == 0
    # 2 epochs of 42 samples in batches of 8
    assert "training is not complete (step 12 of 12): this is the best checkpoint so far" in capsys.readouterr().err
    about = json.loads((copied / "exports/safetensors/colors.safetensors.json").read_text())
    assert about["checkpoint"]["complete"] is False
    assert json.loads((copied / "exports/safetensors/parity.json").read_text())["complete"] is False


def test_a_run_without_a_checkpoint_is_refused(copied, capsys):
    shutil.rmtree(copied / "checkpoints")
    (copied / "best").unlink()
    assert run(["export", str(copied), "--format", "safetensors"]) == 66
    assert "has no checkpoint yet; run `ftaug train` on its experiment first" in capsys.readouterr().err
    assert not (copied / "exports").exists()


def test_a_file_where_the_folder_must_go_is_refused_before_the_work(copied, capsys, monkeypatch):
    (copied / "exports").mkdir()
    (copied / "exports" / "safetensors").write_text("mine")
    monkeypatch.setattr("ftaug.runs.export.folder.ExportFolder.unfinished", None)
    assert run(["export", str(copied), "--format", "safetensors"]) == 73
    assert "safetensors: is not a folder that `ftaug export` wrote; move it elsewhere" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["parity", "tokenizer", "ftaug", "onnx", "exports"])
def test_no_name_of_an_experiment_is_that_of_another_file(copied, name):
    resolved = copied / "resolved.yaml"
    resolved.write_text(resolved.read_text().replace("name: colors", f"name: {name}"))
    assert run(["export", str(copied), "--format", "safetensors"]) == 0
    written = names(copied / "exports" / "safetensors")
    assert written == sorted(["README.md", f"{name}.safetensors", f"{name}.safetensors.json", "parity.json"])
    assert json.loads((copied / "exports/safetensors/parity.json").read_text())["format"] == "safetensors"


def test_wrong_formats_are_refused_before_the_run_is_opened(desk, capsys, monkeypatch):
    monkeypatch.setattr("ftaug.runs.open_run.open_run", None)
    assert run(["export", str(desk / "run"), "--format", "onnx", "--format", "onx"]) == 2
    assert "--format onx: no exporter 'onx'; did you mean 'onnx'?" in capsys.readouterr().err


PLUGIN = """
from ftaug.config.kinds import exporter

@exporter.register(suffix=".labels")
def labels(bundle, path):
    \"\"\"The names of the classes.\"\"\"
    path.write_text("\\n".join(bundle.task.classes))
    return lambda batch: {"logits": bundle.model(batch.inputs)}
"""


def test_a_format_may_be_that_of_a_plugin(copied):
    (copied / "labels.py").write_text(PLUGIN)
    resolved = copied / "resolved.yaml"
    resolved.write_text("plugins: [labels.py]\n" + resolved.read_text().replace("plugins: []\n", ""))
    try:
        assert run(["export", str(copied), "--format", "labels"]) == 0
    finally:
        exporter._entries.pop("labels", None)
    labels = (copied / "exports/labels/colors.labels").read_text().splitlines()
    assert labels == json.loads((copied / "model.json").read_text())["classes"]
