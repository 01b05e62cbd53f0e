"""The Python API against the commands on the same run."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from run_files import noise

import ftaug
from ftaug.cli import run
from ftaug.errors import BadData, ExperimentError, MissingInput

EXPERIMENT = """
data:
  train: {image_folder: {path: photos}}
  val: {split: 50%}
  batch_size: 4
  workers: 0
backbone: {resnet20: {weights: none}}
train: {epochs: 1, precision: fp32}
"""
TEXTS = """
modality: text
data:
  train: {text_table: {path: reviews.csv, text: review, label: stars}}
  val: {split: 50%}
  workers: 0
backbone: tiny_text
train: {epochs: 1, precision: fp32}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with photos, an experiment, and its run by `ftaug.train`."""
    folder = tmp_path_factory.mktemp("api")
    for channel, name in enumerate(("red", "green")):
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(4):
            noise(channel, seed=10 * channel + number).save(folder / "photos" / name / f"{number}.png")
    (folder / "a.yaml").write_text(EXPERIMENT)
    path = ftaug.train(str(folder / "a.yaml"), ["lr.peak=1e-2"], run_dir=folder / "run", device="cpu")
    assert path == folder / "run"
    return folder


def test_importing_it_does_not_import_torch():
    program = "import sys, ftaug; ftaug.train; sys.exit(any(m in sys.modules for m in ('torch', 'numpy', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0


def test_load_applies_overrides_and_reports_problems(folder):
    assert ftaug.load(folder / "a.yaml", ["train.epochs=7"]).train.epochs == 7
    with pytest.raises(ExperimentError, match="did you mean 'epochs'"):
        ftaug.load(folder / "a.yaml", ["train.epoch=7"])


def test_the_command_continues_a_run_of_train(folder, capsys):
    command = ["train", str(folder / "a.yaml"), "lr.peak=1e-2", "--run-dir", str(folder / "run"), "--device", "cpu"]
    assert run(command) == 0
    assert "already complete" in capsys.readouterr().err


def test_predictions_equal_those_of_the_command(folder, capsys):
    model = ftaug.open_run(folder / "run", device="cpu")
    files = sorted((folder / "photos").rglob("*.png"))
    assert run(["predict", str(folder / "run"), *map(str, files), "--top-k", "2", "--json"]) == 0
    printed = [
        {p["class"]: p["probability"] for p in row["predictions"]} for row in json.loads(capsys.readouterr().out)
    ]
    expected = [[row[name] for name in model.task.classes] for row in printed]
    probabilities = model.predict_files(files)
    np.testing.assert_allclose(probabilities, expected, atol=1e-6)
    pixels = [np.array(Image.open(file).convert("RGB")) for file in files]
    np.testing.assert_array_equal(model.predict(pixels), probabilities)
    assert model.predict([]).shape == (0, 2)


def test_samples_that_are_no_pictures_are_refused(folder):
    model = ftaug.open_run(folder / "run", device="cpu")
    good = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(
        BadData, match=r"sample 1: must be RGB pixels, uint8 \(height, width, 3\); got float64 \(8, 8\)"
    ):
        model.predict([good, np.zeros((8, 8))])
    with pytest.raises(MissingInput):
        model.predict_files([folder / "none.png"])


def test_texts_are_predicted_from_strings(tmp_path):
    rows = "".join(f"{word} number {i},{word}\n" for i in range(4) for word in ("good", "bad"))
    (tmp_path / "reviews.csv").write_text("review,stars\n" + rows)
    (tmp_path / "a.yaml").write_text(TEXTS)
    model = ftaug.open_run(ftaug.train(tmp_path / "a.yaml", run_dir=tmp_path / "run", device="cpu"))
    (tmp_path / "new.txt").write_text("good news\nbad news\n")
    np.testing.assert_array_equal(model.predict(["good news", "bad news"]), model.predict_files([tmp_path / "new.txt"]))
    with pytest.raises(BadData, match=r"sample 0: must be a string; got \('good', 'bad'\)"):
        model.predict([("good", "bad")])
    with pytest.raises(BadData, match="sample 0: the text is empty"):
        model.predict([" "])
