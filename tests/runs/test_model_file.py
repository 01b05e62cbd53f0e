"""model.json describes a trained model, and the files that its backbone is built from are kept beside it."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from ftaug.engine.loading.split import load_splits
from ftaug.engine.system.run_files import MODEL_FILE, read_json
from ftaug.engine.training.build import build
from ftaug.experiment_file import load
from ftaug.interfaces.model import Origin
from ftaug.runs.model_file import ORIGIN_FOLDER, keep_origin, write_model_file

EXPERIMENT = """
seed: 5
data: {train: {digits: {per_class: 3}}, val: {digits: {per_class: 1}}, batch_size: 10, workers: 0}
backbone: {resnet20: {weights: none}}
train: {precision: fp32}
"""


class Folder:
    def __init__(self, path):
        self.path = path

    def write(self, name, text):
        (self.path / name).write_text(text)


def test_the_description_of_a_model(tmp_path):
    (tmp_path / "f.yaml").write_text(EXPERIMENT)
    experiment = load(tmp_path / "f.yaml")
    state = build(experiment, "cpu", load_splits(experiment.data, experiment.seed), pretrained=False)
    write_model_file(state, Folder(tmp_path), SimpleNamespace(place=None))
    about = json.loads((tmp_path / MODEL_FILE).read_text())
    assert read_json(tmp_path / MODEL_FILE) == about
    assert about["classes"] == [str(digit) for digit in range(10)]
    assert about["class_counts"] == [3] * 10 and about["train_samples"] == 30
    assert (about["activation"], about["multi_label"], about["regression"]) == ("softmax", False, False)
    assert (about["seed"], about["target_mean"]) == (5, None)
    assert about["sources"]["test"] is None and about["data"].keys() == {"train", "val"}
    assert about["chosen"] | {"threads": 0} == {
        "device": "cpu", "precision": "fp32", "workers": 0, "micro_batch": None, "evaluation_precision": "fp32",
        "threads": 0, "cache": "off", "augment_device": "cpu",
    }  # fmt: skip
    assert "built_from" not in about and about["sample_columns"] == []


@pytest.fixture
def state():
    def write(folder):
        folder.mkdir()
        (folder / "config.json").write_text("{}")

    origin = Origin("configuration", write)
    backbone = SimpleNamespace(origin=origin)
    return SimpleNamespace(backbone=backbone, experiment=SimpleNamespace(backbone=SimpleNamespace(name="hf")))


def test_files_of_the_backbone_are_kept_once(state, tmp_path):
    expected = {"built_from": [f"backbone.hf.configuration=./{ORIGIN_FOLDER}"]}
    assert keep_origin(state, tmp_path) == expected
    (tmp_path / ORIGIN_FOLDER / "config.json").write_text("kept")
    assert keep_origin(state, tmp_path) == expected
    assert (tmp_path / ORIGIN_FOLDER / "config.json").read_text() == "kept"
    assert [path.name for path in tmp_path.iterdir()] == [ORIGIN_FOLDER]


def test_what_an_interrupted_copy_left_is_replaced(state, tmp_path):
    (tmp_path / f".tmp-{ORIGIN_FOLDER}").mkdir()
    keep_origin(state, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [ORIGIN_FOLDER]


def test_a_backbone_without_files(state, tmp_path):
    state.backbone.origin = None
    assert keep_origin(state, tmp_path) == {}


def test_the_copy_is_on_the_disk_before_it_gets_its_name(state, tmp_path, monkeypatch):
    """After a power loss a folder of that name would count as complete."""
    done = []
    sync, rename = os.fsync, Path.rename
    path_of = lambda file: Path(f"/proc/self/fd/{file}").readlink()  # noqa: E731
    monkeypatch.setattr(os, "fsync", lambda file: (done.append(path_of(file).name), sync(file)))
    monkeypatch.setattr(Path, "rename", lambda path, to: (done.append("rename"), rename(path, to)))
    keep_origin(state, tmp_path)
    assert done == ["config.json", f".tmp-{ORIGIN_FOLDER}", "rename", tmp_path.name]
