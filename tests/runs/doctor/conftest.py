"""A cross-validation of digits that several tests examine."""

import pytest

from ftaug.cli import run

CONFIG = """
data: {train: {digits: {per_class: 10}}, test: null, workers: 0, batch_size: 25}
backbone: resnet20
train: {epochs: 2, precision: fp32}
lr: {peak: 1e-2}
"""


@pytest.fixture(scope="session")
def folds(tmp_path_factory):
    folder = tmp_path_factory.mktemp("folds")
    (folder / "digits.yaml").write_text(CONFIG)
    assert run(["train", str(folder / "digits.yaml"), "--folds", "2", "--run-dir", str(folder / "run")]) == 0
    return folder / "run"
