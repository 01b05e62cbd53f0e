"""Which samples the weights of another run were trained on: found by their keys, in the same data only."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from run_files import MODEL

from ftaug.config.dump import to_plain
from ftaug.engine.loading.data_record import SAMPLES_FILE, fingerprints, to_csv
from ftaug.engine.loading.split import load_splits
from ftaug.errors import ExperimentError
from ftaug.experiment_file import load
from ftaug.runs.earlier_samples import EARLIER_FILE, consistent, trained_on

EXPERIMENT = "data: {train: {image_folder: {path: photos}}, val: {split: 25%}}\nbackbone: {resnet20: {weights: none}}\n"


@pytest.fixture
def desk(tmp_path):
    """Pictures, an experiment, and what a run of it leaves that says which samples it was trained on."""
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(20):
            Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "photos" / name / f"{number}.png")
    (tmp_path / "e.yaml").write_text(EXPERIMENT)
    write_run(tmp_path, tmp_path / "run")
    return tmp_path


def write_run(desk, folder, *overrides, labels_learned=True):
    experiment = load(desk / "e.yaml", overrides)
    data = load_splits(experiment.data, experiment.seed)
    (folder / "best").mkdir(parents=True)
    (folder / "best" / "model.safetensors").touch()
    (folder / SAMPLES_FILE).write_text(to_csv(data))
    sources = {name: to_plain(getattr(experiment.data, name)) for name in ("train", "val", "test")}
    facts = {**MODEL, "data": fingerprints(data), "sources": sources, "seed": 0, "labels_learned": labels_learned}
    (folder / "model.json").write_text(json.dumps(facts))


class Folder:
    """What is written into a new run folder."""

    def __init__(self):
        self.files = {}

    def write(self, name, text):
        self.files[name] = text


def begin(desk, *overrides, run="run"):
    weights = f"backbone.resnet20.weights={json.dumps(str(desk / run / 'best' / 'model.safetensors'))}"
    return begin_from(desk, weights, *overrides)


def begin_from(desk, *overrides):
    experiment, folder = load(desk / "e.yaml", overrides), Folder()
    data, cautions = consistent(experiment, load_splits(experiment.data, experiment.seed), folder)
    return (
        {purpose: {split.samples.key(i) for i in split.ids} for purpose, split in data.items()},
        cautions,
        folder,
    )


def test_the_split_comes_along_with_the_weights(desk):
    data, cautions, folder = begin(desk, "seed=5")
    assert data["train"] == trained_on(desk / "run") and len(data["val"]) == 10
    assert not data["train"] & data["val"]
    assert len(cautions) == 1 and "of the 10 samples that seed 5 holds out they have seen" in cautions[0]
    assert folder.files[EARLIER_FILE].count("\n") == 31


def test_the_same_seed_says_nothing(desk):
    assert begin(desk)[1] == []


@pytest.mark.parametrize(
    ("theirs", "ours", "remedy"),
    [
        ("data.val={split: 25%}", "data.val={fold: 1, of: 4}", "(seed=0 'data.val={split: 0.25}')"),
        ("data.val={split: 25%}", "data.val={split: 30%}", "(seed=0 'data.val={split: 0.25}')"),
        ("data.val=null", "data.val={split: 30%}", "train that run anew with 'data.val={split: 0.3}', or use"),
        ("data.val={split: 25%}", "data.val={image_folder: {path: photos}}", "(seed=0 'data.val={split: 0.25}')"),
    ],
)
def test_samples_that_were_trained_on_are_an_error(desk, theirs, ours, remedy):
    write_run(desk, desk / "other", theirs)
    with pytest.raises(ExperimentError) as error:
        begin(desk, ours, "seed=5", run="other")
    assert " samples, such as " in str(error.value) and "data.val" in str(error.value)
    assert remedy in str(error.value)


def test_data_that_moved_are_the_same_data_and_others_of_the_same_names_are_not(desk):
    (desk / "photos").rename(desk / "moved")
    assert "of the 10 samples" in begin(desk, "data.train.image_folder.path=moved", "seed=5")[1][0]
    shutil.copytree(desk / "moved", desk / "photos")
    (desk / "photos" / "cat" / "0.png").write_bytes(b"another picture")
    assert "of the 10 samples" in begin(desk, "seed=5")[1][0]  # where the run's data lay, though one changed
    (desk / "moved" / "cat" / "0.png").write_bytes(b"another data set")
    _, cautions, folder = begin(desk, "data.train.image_folder.path=moved", "seed=5")
    assert cautions == [] and folder.files == {}


def test_pretraining_without_labels_is_a_caution(desk):
    write_run(desk, desk / "pretrained", "data.val=null", labels_learned=False)
    _, cautions, _ = begin(desk, run="pretrained")
    assert len(cautions) == 1 and cautions[0].startswith("val: 10 of 10 samples, such as ")
    assert cautions[0].endswith(f"are among those that {desk / 'pretrained'} was pretrained on, without their labels")


@pytest.mark.parametrize(
    "weights",
    [
        "backbone.resnet20.weights=run/exports/model.safetensors",
        "backbone.resnet20.weights={path: run/exports/model.safetensors}",
        "method={lora: {weights: run/exports/model.safetensors}}",
    ],
)
def test_a_file_of_weights_in_a_run_folder_comes_with_the_samples_of_the_run(desk, weights):
    (desk / "run" / "exports").mkdir()
    (desk / "run" / "exports" / "model.safetensors").touch()
    data, cautions, folder = begin_from(desk, weights, "seed=5")
    assert data["train"] == trained_on(desk / "run")
    assert len(cautions) == 1 and EARLIER_FILE in folder.files


def test_weights_and_an_adapter_of_runs_that_held_out_different_samples_are_an_error(desk):
    write_run(desk, desk / "other", "seed=9")
    adapter = "method={lora: {weights: other/best/model.safetensors}}"
    with pytest.raises(ExperimentError, match=r"data\.val: \d+ of 10 samples, such as .* are among those"):
        begin(desk, adapter)


def test_folds_were_trained_on_all_samples(desk):
    for number in (1, 2):
        write_run(desk, desk / "folds" / f"fold-{number}", f"data.val={{fold: {number}, of: 2}}")
    (desk / "folds" / "folds.json").touch()
    assert len(trained_on(desk / "folds")) == 40 and len(trained_on(desk / "folds" / "fold-1")) == 20


def test_what_an_earlier_run_was_trained_on_counts_too(desk):
    shutil.copytree(desk / "run", desk / "next")
    (desk / "next" / EARLIER_FILE).write_text("key\ncat/x.png\n")
    assert trained_on(desk / "next") == trained_on(desk / "run") | {"cat/x.png"}
