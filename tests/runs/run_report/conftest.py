"""A small run that was trained, with the report that training ends with; a test picture is a copy of a training one."""

import shutil

import pytest
from run_files import noise

from ftaug.cli import run

EXPERIMENT = """
name: few
data:
  train: {image_folder: {path: photos/train}}
  val: {split: 30%}
  test: {image_folder: {path: photos/test}}
  batch_size: 8
  workers: 0
backbone: {resnet20: {weights: none}}
lr: {peak: 5e-3}
train: {epochs: 2, precision: fp32}
"""
CLASSES = ("blue", "green", "red")


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The run folder, not to be changed."""
    folder = tmp_path_factory.mktemp("report")
    for split, count in (("train", 10), ("test", 4)):
        for position, name in enumerate(CLASSES):
            (folder / "photos" / split / name).mkdir(parents=True)
            for number in range(count):
                picture = noise(2 - position, seed=1000 * position + number + 100 * (split == "test"))
                picture.save(folder / "photos" / split / name / f"{number:02}.png")
    shutil.copy(folder / "photos" / "train" / "red" / "00.png", folder / "photos" / "test" / "red" / "copy.png")
    (folder / "few.yaml").write_text(EXPERIMENT)
    assert run(["train", str(folder / "few.yaml"), "--run-dir", str(folder / "run"), "--device", "cpu"]) == 0
    return folder / "run"


@pytest.fixture
def copied(trained, tmp_path):
    """A copy of the run folder."""
    return shutil.copytree(trained, tmp_path / "run", symlinks=True)
