"""`ftaug init`: a folder of pictures gets an experiment file that is valid and fits the pictures."""

import os

import pytest
from PIL import Image

from ftaug.cli import run
from ftaug.config.types import Duration
from ftaug.experiment_file import load


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pictures(folder, size, **counts):
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.new("RGB", size, (number % 256, 0, 0)).save(folder / name / f"{number}.png")


def test_large_pictures(desk, capsys):
    pictures(desk / "photos", (120, 90), daisy=10, rose=9)
    assert run(["init", "photos"]) == 0
    out, err = capsys.readouterr()
    assert out == "photos.yaml\n"
    assert err == "next: ftaug train photos.yaml\n"
    experiment = load("photos.yaml")
    assert experiment.data.train.settings["path"] == desk / "photos"
    assert experiment.data.val.split == 0.2
    assert experiment.backbone.name == "efficientnet_lite0"  # whose weights are installed with the tests
    assert experiment.unfreeze == ("all",)
    assert experiment.loss.settings["class_weights"] is None
    assert experiment.lr.schedule.settings["warmup"] == Duration(10, "%")
    assert "19 training pictures of 2 classes, about 120×90 pixels" in (desk / "photos.yaml").read_text()


def test_without_installed_weights_the_network_is_one_that_is_downloaded(desk, monkeypatch):
    pictures(desk / "photos", (120, 90), daisy=4, rose=4)
    monkeypatch.setattr("ftaug.image.backbones.efficientnet_lite0.is_installed", lambda: False)
    assert run(["init", "photos"]) == 0
    assert load("photos.yaml").backbone.name == "resnet18"


def test_few_pictures_all_train_where_a_test_split_measures(desk):
    """Without one some are held out, so that there is something to evaluate on."""
    for split, count in (("train", 6), ("test", 3)):
        pictures(desk / "photos" / split, (80, 80), a=count, b=count)
    assert run(["init", "photos"]) == 0
    assert load("photos.yaml").data.val is None
    for split, count in (("train", 160), ("test", 3)):
        pictures(desk / "many" / split, (8, 8), a=count, b=count)
    assert run(["init", "many"]) == 0
    assert load("many.yaml").data.val.split == 0.2


def test_the_next_command_can_be_copied(desk, capsys):
    pictures(desk / "my photos", (28, 28), a=4, b=4)
    assert run(["init", "my photos"]) == 0
    assert capsys.readouterr() == ("my photos.yaml\n", "next: ftaug train 'my photos.yaml'\n")


def test_small_pictures(desk):
    pictures(desk / "icons", (28, 28), a=4, b=4)
    assert run(["init", "icons", "-o", "small.yaml"]) == 0
    experiment = load("small.yaml")
    assert experiment.backbone.name == "resnet20"
    assert not {op.name for op in experiment.augment} & {"random_resized_crop", "horizontal_flip"}


def test_imbalance_gives_the_classes_weights(desk):
    pictures(desk / "photos", (80, 80), rare=2, common=6)
    run(["init", "photos"])
    experiment = load("photos.yaml")
    assert experiment.loss.settings["class_weights"] == "balanced"
    assert experiment.evaluate.best == "balanced_accuracy"


def test_a_folder_that_holds_splits(desk):
    for part in ("train", "Validation", "test"):
        pictures(desk / "photos" / part, (80, 80), a=2, b=2)
    assert run(["init", "photos"]) == 0
    data = load("photos.yaml").data
    assert [part.settings["path"].name for part in (data.train, data.val, data.test)] == ["train", "Validation", "test"]


def test_paths_are_relative_to_the_file(desk):
    pictures(desk / "pics: #1 é'\"", (80, 80), a=2, b=2)
    (desk / "conf").mkdir()
    assert run(["init", "pics: #1 é'\"", "-o", "conf/x.yaml"]) == 0
    text = (desk / "conf" / "x.yaml").read_text()
    assert '"../pics: #1 é\'\\""' in text
    assert load("conf/x.yaml").data.train.settings["path"] == desk / "pics: #1 é'\""


def test_more_pictures_mean_fewer_epochs_and_larger_batches(desk):
    pictures(desk / "few", (80, 80), a=10, b=10)
    pictures(desk / "many", (8, 8), a=300, b=300)
    for name in ("few", "many"):
        run(["init", name])
    few, many = load("few.yaml"), load("many.yaml")
    assert few.train.epochs > many.train.epochs
    assert few.data.batch_size < many.data.batch_size


def test_an_existing_file_is_not_overwritten(desk, capsys):
    pictures(desk / "photos", (80, 80), a=2, b=2)
    (desk / "photos.yaml").write_text("mine")
    assert run(["init", "photos"]) == 73
    assert capsys.readouterr().err == "photos.yaml is already there; name another file: ftaug init photos -o FILE\n"
    assert (desk / "photos.yaml").read_text() == "mine"


def test_a_place_that_cannot_be_written(desk, capsys):
    pictures(desk / "photos", (80, 80), a=2, b=2)
    assert run(["init", "photos", "-o", "no/such/x.yaml"]) == 73
    assert "no/such/x.yaml cannot be written: No such file or directory" in capsys.readouterr().err


def test_pictures_that_cannot_be_read_are_left_out(desk, capsys):
    pictures(desk / "photos", (80, 60), a=3, b=3)
    (desk / "photos" / "a" / "1.png").write_bytes(b"no picture")
    assert run(["init", "photos"]) == 0
    assert "not counted: " in capsys.readouterr().err
    assert "about 80×60 pixels" in (desk / "photos.yaml").read_text()


@pytest.mark.parametrize(("make", "code"), [(None, 66), ("empty", 65), ("one", 65)])
def test_folders_without_classes(desk, make, code):
    if make:
        (desk / "photos").mkdir()
    if make == "one":
        pictures(desk / "photos", (80, 80), only=2)
    assert run(["init", "photos"]) == code
    assert not (desk / "photos.yaml").exists()


def test_a_path_that_yaml_cannot_hold(desk, capsys):
    name = os.fsdecode(b"pics\xff")
    pictures(desk / name, (80, 80), a=2, b=2)
    assert run(["init", name, "-o", "x.yaml"]) == 2
    assert "cannot be written into an experiment file" in capsys.readouterr().err
    assert not (desk / "x.yaml").exists()


def test_names_of_classes_cannot_break_the_file(desk):
    pictures(desk / "photos", (80, 80), **{"a\nseed: 99": 2, "b": 2})
    assert run(["init", "photos"]) == 0
    assert load("photos.yaml").seed == 0
