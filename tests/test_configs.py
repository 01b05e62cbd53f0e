"""Every experiment in configs/ loads, and trains offline through the command line."""

import json
from pathlib import Path

import pytest

from ftaug.cli import run
from ftaug.config.dump import to_yaml
from ftaug.experiment_file import load

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))
SHORT = {
    "digits": ["data.train={digits: {per_class: 3}}", "data.val={split: 33%}", "data.batch_size=10"],
    "docstrings": ["data.train={docstrings: {per_class: 2}}", "data.val={split: 50%}", "data.batch_size=5"],
    "instruments": ["data.train={instruments: {per_class: 3}}", "data.val={split: 33%}", "data.batch_size=10"],
    "spoken": ["data.train={spoken: {per_class: 3}}", "data.val={split: 33%}", "data.batch_size=20"],
    "spoken_words": ["data.train={spoken_words: {voices: 2}}", "data.val={split: 50%}", "data.batch_size=103"],
    "standard_library": ["data.train={docstrings: {per_class: 1}}", "data.batch_size=5"],
    "printed_letters": ["data.train={printed_letters: {per_class: 2}}", "data.val={split: 50%}", "data.batch_size=26"],
}
"""Overrides by the dataset that leave two steps of training."""

each = pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)


@each
def test_loads_and_says_what_it_is_for(config):
    assert config.read_text().startswith("# ")
    assert load(config).name == config.stem


@each
def test_its_complete_form_is_the_same_experiment(config, tmp_path):
    experiment = load(config)
    resolved = tmp_path / "resolved.yaml"
    resolved.write_text(to_yaml(experiment))
    assert load(resolved) == experiment


@each
def test_trains(config, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    overrides = [
        *SHORT[load(config).data.train.name],
        "train.epochs=1",
        "train.gradient_accumulation=1",
        "data.workers=0",
    ]
    code = run(["train", str(config), *overrides])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    folder = Path(printed.out.splitlines()[-1])
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert max(row["step"] for row in rows) == 2
    assert (folder / "best" / "model.safetensors").is_file()
