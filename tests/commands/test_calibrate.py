"""`ftaug calibrate` on a trained run: kept beside its checkpoint, and used by evaluate, predict and exports."""

import csv
import json
import shutil

import numpy as np
import onnxruntime
import pytest
from calibrations import softmax
from PIL import Image
from sklearn.datasets import load_digits

from ftaug.api import open_run
from ftaug.cli import run

EXPERIMENT = """
name: calibrated
data:
  train: {digits: {per_class: 8}}
  val: digits
  test: digits
  batch_size: 20
  workers: 0
backbone: {resnet20: {weights: letters}}
lr: {peak: 3e-3, schedule: constant}
train: {epochs: 4, precision: fp32}
evaluate: {every: 4 epochs}
"""


def printed(capsys, *arguments):
    assert run([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A run, a copy of it from before it was calibrated, and digits as files."""
    folder = tmp_path_factory.mktemp("calibrated")
    (folder / "digits.yaml").write_text(EXPERIMENT)
    assert run(["train", str(folder / "digits.yaml"), "--run-dir", str(folder / "run"), "--device", "cpu"]) == 0
    shutil.copytree(folder / "run", folder / "before", symlinks=True)
    (folder / "files").mkdir()
    for number, image in enumerate(load_digits().images[:12]):
        Image.fromarray((image * 15.9).astype(np.uint8)).save(folder / "files" / f"{number:02}.png")
    assert run(["calibrate", str(folder / "run"), "--method", "temperature"]) == 0
    return folder


def test_the_calibration_is_in_the_run_folder(desk):
    report = json.loads((desk / "run" / "report" / "calibration.json").read_text())
    stored = json.loads((desk / "run" / "calibration.json").read_text())
    assert stored["temperature"] == report["calibration"]["temperature"]
    assert (stored["checkpoint"], len(stored["confidences"])) == (report["checkpoint"], report["held_out"])
    assert len(stored["sets"]["scores"][0]) == stored["samples"]
    assert (desk / "run" / "report" / "calibration.png").is_file()
    assert report["metrics"]["nll"]["after"]["value"] < report["metrics"]["nll"]["before"]["value"]


def test_predict_and_evaluate_use_it(desk, capsys):
    temperature = json.loads((desk / "run" / "calibration.json").read_text())["temperature"]
    files = [desk / "files"]
    with_it, without = open_run(desk / "run"), open_run(desk / "before")
    raw, calibrated = without.predict_files(files), with_it.predict_files(files)
    np.testing.assert_allclose(calibrated, softmax(np.log(raw.astype(float)) / temperature), atol=1e-5)
    entries = printed(capsys, "predict", desk / "run", *files, "--top-k", 10)
    assert [each["probability"] for each in entries[3]["predictions"]] == pytest.approx(np.sort(calibrated[3])[::-1])
    before, after = (printed(capsys, "evaluate", desk / name) for name in ("before", "run"))
    assert after["calibration"]["temperature"] == temperature and "calibration" not in before
    assert after["intervals"]["nll"]["value"] != before["intervals"]["nll"]["value"]
    assert after["metrics"]["loss"] == before["metrics"]["loss"] == pytest.approx(before["intervals"]["nll"]["value"])
    assert after["metrics"]["accuracy"] == before["metrics"]["accuracy"]
    assert run(["evaluate", str(desk / "run"), "--split", "val"]) == 0
    assert "of these samples were used to calibrate" in capsys.readouterr().out


def test_predict_abstains_and_gives_sets(desk, tmp_path, capsys):
    path = tmp_path / "predictions.csv"
    options = ("--coverage", "0.5", "--sets", "0.9", "--csv", str(path))
    assert run(["predict", str(desk / "run"), str(desk / "files"), *options]) == 0
    assert "abstains below a confidence of" in (err := capsys.readouterr().err) and "sets of 0.9 were fitted on" in err
    with path.open(newline="") as file:
        rows = [*csv.DictReader(file)]
    assert list(rows[0]) == ["input", "class", "probability", "abstained", "set", "error"]
    assert {row["abstained"] for row in rows} == {"", "yes"}
    assert all(bool(row["class"]) != bool(row["abstained"]) for row in rows)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (
            ("--coverage", "0.9"),
            66,
            "--coverage: needs a calibration on validation samples; write it first: ftaug calib",
        ),
        (("--sets", "0.9"), 66, "--sets: needs a calibration"),
    ],
)
def test_predict_without_a_calibration(desk, options, code, words, capsys):
    assert run(["predict", str(desk / "before"), str(desk / "files"), *options]) == code
    assert words in (err := capsys.readouterr().err) and err.count("\n") == 1


def test_a_level_out_of_range(desk, capsys):
    assert run(["predict", str(desk / "run"), str(desk / "files"), "--sets", "1.5"]) == 2
    assert "a coverage of 1.5 cannot be guaranteed; expected one such as 0.9" in capsys.readouterr().err


@pytest.mark.slow
def test_exports_are_calibrated(desk):
    assert run(["export", str(desk / "run"), "--format", "onnx"]) == 0  # else 5, where predictions differ
    session = onnxruntime.InferenceSession(desk / "run" / "exports" / "onnx" / "calibrated.onnx")
    facts = json.loads(session.get_modelmeta().custom_metadata_map["calibration"])
    assert facts == json.loads((desk / "run" / "report" / "calibration.json").read_text())["calibration"]
    expected = open_run(desk / "run").predict_files([desk / "files"])
    for number, row in enumerate(expected):
        pixels = np.asarray(Image.open(desk / "files" / f"{number:02}.png").convert("RGB"))
        probabilities, logits = session.run(["probabilities", "logits"], {"images": pixels[None]})
        np.testing.assert_allclose(probabilities[0], row, atol=1e-5)
        np.testing.assert_allclose(softmax(logits / facts["temperature"])[0], row, atol=1e-5)


def test_a_calibration_of_another_checkpoint_is_not_used(desk, tmp_path, capsys):
    folder = tmp_path / "trained further"
    shutil.copytree(desk / "run", folder, symlinks=True)
    content = json.loads((folder / "calibration.json").read_text())
    (folder / "calibration.json").write_text(json.dumps({**content, "checkpoint": "step-0000004", "manifest": "0"}))
    predicted = open_run(folder).predict_files([desk / "files"])
    assert f"{folder}: calibration.json is of another checkpoint (step-0000004) and is not used" in (
        capsys.readouterr().err
    )
    assert (predicted == open_run(desk / "before").predict_files([desk / "files"])).all()
