"""The splits that a folder holds."""

import pytest

from ftaug.data.folders.classes import splits


@pytest.fixture
def fill(tmp_path):
    def fill(*files):
        for name in files:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return fill


def test_a_folder_for_each_split_whatever_lies_beside(fill, capsys):
    folder = fill("train/cat/1.jpg", "train/dog/1.jpg", "valid/cat/1.jpg", "extra/cat/1.jpg")
    assert splits(folder) == {"train": folder / "train", "val": folder / "valid"}
    assert capsys.readouterr().err == f"{folder}: ignored beside the splits: 'extra'\n"


def test_a_training_folder_alone(fill):
    folder = fill("train/cat/1.jpg", "train/dog/1.jpg", "holdout/cat/1.jpg", "holdout/dog/1.jpg")
    assert splits(folder) == {"train": folder / "train"}


def test_a_class_that_is_called_train(fill):
    folder = fill("train/steam/1.jpg", "plane/1.jpg")
    assert splits(folder) == {"train": folder}
