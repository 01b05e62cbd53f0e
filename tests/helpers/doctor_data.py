"""Folders of pictures with planted faults, and the experiment that reads them."""

from pathlib import Path

import cv2
from pictures import texture
from PIL import Image

from ftaug.data.row_file import RowFile
from ftaug.engine.loading.split import load_splits
from ftaug.experiment_file import load
from ftaug.runs.doctor.scan import scan

CONFIG = """
data:
  train: {{image_folder: {{path: {root}/train}}}}
  val: null
  test: {{image_folder: {{path: {root}/test}}}}
  workers: 0
backbone: {{resnet20: {{weights: none}}}}
"""


def photo(seed, size=(96, 128)):
    """A picture of smooth clouds, another for each seed."""
    return Image.fromarray(cv2.GaussianBlur(texture(*size, seed), (0, 0), 1))


def write_pictures(root: Path, train=6, test=3) -> Path:
    """Write two classes of distinct pictures for training and test; return the experiment file."""
    for number, (split, count) in enumerate((("train", train), ("test", test))):
        for code, label in enumerate(("cat", "dog")):
            (root / split / label).mkdir(parents=True)
            for place in range(count):
                photo(1000 * number + 100 * code + place).save(root / split / label / f"{place}.png")
    (root / "data.yaml").write_text(CONFIG.format(root=root))
    return root / "data.yaml"


def scanned(config: Path, *overrides):
    """Read the samples of an experiment file."""
    experiment = load(config, overrides)
    return scan(experiment, load_splits(experiment.data, experiment.seed))


def stored(values) -> RowFile:
    """Write an array of rows into a file, as bytes."""
    rows = RowFile(values[0].nbytes)
    for row in values:
        rows.append(row)
    return rows.finish()
