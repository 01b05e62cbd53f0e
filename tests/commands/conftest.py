"""A small run that several commands are tried on: it tells red, green and blue noise apart."""

import pytest
from run_files import noise, train_colors
from text_desk import PLUGIN, make_encoder
from whole_tables import whole_tables

from ftaug.data import cache_dirs

__all__ = ["whole_tables"]

CLASSES = ("blue, mostly", "green", "red")
EXPERIMENT = """
name: colors
data:
  train: {image_folder: {path: photos/train}}
  val: {split: 30%}
  test: {image_folder: {path: photos/test}}
  batch_size: 8
  workers: 0
backbone: {resnet20: {weights: none}}
train: {epochs: 2, precision: fp32}
lr: {peak: 5e-3}
evaluate: {metrics: [f1, accuracy]}
"""


@pytest.fixture(scope="session")
def desk(tmp_path_factory):
    """A folder with photos, an experiment and its finished run."""
    folder = tmp_path_factory.mktemp("desk")
    for split, count in (("train", 20), ("test", 7)):
        for position, name in enumerate(CLASSES):
            (folder / "photos" / split / name).mkdir(parents=True)
            for number in range(count):
                path = folder / "photos" / split / name / f"{number:02}.png"
                noise(2 - position, seed=1000 * position + number + 100 * (split == "test")).save(path)
    (folder / "colors.yaml").write_text(EXPERIMENT)
    assert train_colors(folder, folder / "run") == 0
    return folder


@pytest.fixture(scope="session")
def started(desk, tmp_path_factory):
    """A run that starts from another run's weights, head and all."""
    folder = tmp_path_factory.mktemp("mixing")
    assert train_colors(desk, folder / "run", "--from", str(desk / "run"), "train.epochs=1") == 0
    return folder


@pytest.fixture(scope="session")
def text_desk(tmp_path_factory):
    """A folder with a tiny text encoder and a plugin for texts."""
    folder = tmp_path_factory.mktemp("texts")
    make_encoder(folder / "encoder")
    (folder / "texts_plugin.py").write_text(PLUGIN)
    return folder


@pytest.fixture
def texts_importable(text_desk, monkeypatch):
    """Here and in processes that are started, the plugin is a module."""
    monkeypatch.syspath_prepend(text_desk)
    monkeypatch.setenv("PYTHONPATH", str(text_desk))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Folders of this test for what is kept on disk and in memory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    (tmp_path / "memory").mkdir()
    monkeypatch.setattr(cache_dirs, "MEMORY", tmp_path / "memory")
    return tmp_path
