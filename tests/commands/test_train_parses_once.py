"""How often `ftaug train` parses the experiment file, and how many networks it builds."""

from pathlib import Path

import pytest

from ftaug.cli import run as command
from ftaug.config import yaml_document
from ftaug.engine.training import build
from ftaug.runs import initial_weights, trained_model

EXPERIMENT = """\
name: tiny
data: {train: {digits: {per_class: 4}}, val: {split: 25%}, batch_size: 16, workers: 0}
backbone: {resnet20: {weights: letters}}
unfreeze: [head]
train: {epochs: 1, precision: fp32}
"""


@pytest.fixture
def counted(tmp_path, monkeypatch):
    """Run `ftaug train` with options; returns how often the file was parsed, and how often a network was built."""
    file = tmp_path / "tiny.yaml"
    file.write_text(EXPERIMENT)
    monkeypatch.chdir(tmp_path)

    def run(*options: str) -> tuple[int, int]:
        parsed, built = [], []
        scan, build_model = yaml_document.scan, build.build_model
        with monkeypatch.context() as patched:
            patched.setattr(yaml_document, "scan", lambda text, name: parsed.append(name) or scan(text, name))
            for module in (build, initial_weights, trained_model):
                patched.setattr(module, "build_model", lambda *args: built.append(args) or build_model(*args))
            assert command(["train", str(file), *options]) in (0, None)
        return parsed.count(str(file)), len(built)

    return run


def test_a_plain_train_parses_once_and_builds_the_network_twice(counted):
    """Once to train it, once for the weights that it started from."""
    assert counted() == (1, 2)


def test_folds_and_from_parse_once(counted):
    assert counted("--folds", "2", "--run-dir", "folds", "~data.val")[0] == 1
    assert Path("folds/fold-2/complete.json").is_file()
    assert counted("--from", "folds/fold-1", "--run-dir", "next", "data.val={fold: 1, of: 2}")[0] == 1
