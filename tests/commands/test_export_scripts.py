"""The script beside an export against `ftaug predict`, on files of every kind, where ftaug and torch are not there."""

import csv
import io
import json
import re

import numpy as np
import onnxruntime
import pytest
from clean_environment import link_packages, run_clean
from odd_pictures import odd_pictures, photo
from PIL import Image

from ftaug.cli import run

STRANGERS = ("ftaug", "torch", "torchvision", "cv2", "onnx", "pydantic")


EXPERIMENT = """
name: tints
data:
  train: {image_folder: {path: photos}}
  val: {split: 30%}
  batch_size: 8
  workers: 0
backbone: resnet20
train: {epochs: 2, precision: fp32}
lr: {peak: 3e-3}
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run that has learned little: its probabilities are neither 0 nor 1, and show each difference."""
    folder = tmp_path_factory.mktemp("tints")
    for channel, name in enumerate(("red", "green", "blue")):
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(8):
            pixels = np.roll(np.asarray(photo(40, 50)) // 2, 5 * number, axis=1)
            pixels[..., channel] += 60
            Image.fromarray(pixels).save(folder / "photos" / name / f"{number}.png")
    (folder / "tints.yaml").write_text(EXPERIMENT)
    assert run(["train", str(folder / "tints.yaml"), "--run-dir", str(folder / "run"), "--device", "cpu"]) == 0
    return folder / "run"


@pytest.fixture(scope="module")
def exported(trained):
    """The folder of the run's ONNX export, with its script."""
    assert run(["export", str(trained), "--format", "onnx"]) == 0
    return trained / "exports" / "onnx"


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean") / "packages"
    link_packages(folder, ["numpy", "pillow", "onnxruntime"])
    return folder


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    for name, content in odd_pictures().items():
        (folder / name).write_bytes(content)
    return sorted(str(path) for path in folder.iterdir())


@pytest.fixture(scope="module")
def predicted(trained, files, tmp_path_factory):
    """Class and probability of each file, by the command."""
    table = tmp_path_factory.mktemp("predicted") / "table.csv"
    assert run(["predict", str(trained), *files, "--csv", str(table)]) == 0
    with table.open(newline="") as file:
        return {row["input"]: (row["class"], float(row["probability"])) for row in csv.DictReader(file)}


def test_the_script_predicts_odd_pictures_as_the_command_does(exported, packages, files, predicted, tmp_path):
    assert len(files) > 30
    done = run_clean(packages, str(exported / "tints.onnx.py"), *files, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = {name: (label, float(p)) for name, label, p in csv.reader(io.StringIO(done.stdout), "excel-tab")}
    assert rows.keys() == predicted.keys()
    for name, (label, probability) in rows.items():
        assert label == predicted[name][0], name
        assert probability == pytest.approx(predicted[name][1], abs=5e-4), name


def test_a_file_that_cannot_be_read_has_its_line_and_the_others_are_predicted(exported, packages, files, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    names = [files[0], "bad.png", "none.png", files[1]]
    done = run_clean(packages, str(exported / "tints.onnx.py"), *names, cwd=tmp_path)
    assert done.returncode == 65
    assert [row[0] for row in csv.reader(io.StringIO(done.stdout), "excel-tab")] == files[:2]
    first, second = done.stderr.splitlines()
    assert first.startswith("bad.png: cannot identify image file") and second.startswith("none.png: ")


def test_nothing_else_is_installed_where_the_script_runs(packages, tmp_path):
    """Otherwise the test above would show nothing."""
    code = f"import importlib.util as u; print([name for name in {STRANGERS} if u.find_spec(name)])"
    assert run_clean(packages, "-c", code, cwd=tmp_path).stdout == "[]\n"


def test_pillow_as_people_write_it_predicts_otherwise(exported, files, predicted):
    """What the recipe is for: each step that is left out is a difference."""
    session = onnxruntime.InferenceSession(exported / "tints.onnx")
    classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
    differences = {}
    for file in files:
        pixels = np.asarray(Image.open(file).convert("RGB"))
        (answer,) = session.run(["probabilities"], {"images": pixels[None]})
        label, probability = predicted[file]
        differences[re.search(r"[^/]+$", file)[0]] = abs(float(answer[0][classes.index(label)]) - probability)
    assert differences["rgb.png"] < 1e-4, differences
    otherwise = (
        "exif6.jpg",
        "exif6.tiff",
        "rgba.png",
        "palette_alpha.png",
        "palette_transparent.gif",
        "gray_alpha.png",
    )
    assert min(differences[name] for name in otherwise) > 1e-3


def test_the_script_is_short_and_plain(exported):
    text = (exported / "tints.onnx.py").read_text()
    assert compile(text, "tints.onnx.py", "exec")
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) < 60
    assert max(map(len, lines)) <= 120
    assert "ftaug" not in text


def test_the_metadata_lists_the_steps_of_decoding(exported):
    session = onnxruntime.InferenceSession(exported / "tints.onnx")
    preprocessing = json.loads(session.get_modelmeta().custom_metadata_map["preprocessing"])
    steps = [step["step"] for step in preprocessing["decoding"]]
    assert steps == ["open", "exif_transpose", "gray_levels", "invert", "composite", "convert"]
