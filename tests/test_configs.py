"""Every experiment in configs/ loads, and trains offline through the real command."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ftaug.config.dump import to_yaml
from ftaug.load import load

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))
SHORT = {
    "digits": ["data.train={digits: {per_class: 2}}", "data.batch_size=10"],
    "printed_letters": ["data.train={printed_letters: {per_class: 1}}", "data.batch_size=26"],
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
def test_trains(config, tmp_path):
    program = "from ftaug.cli import main; main()"
    overrides = [*SHORT[load(config).data.train.name], "train.epochs=1", "train.accumulate=1", "data.workers=0"]
    done = subprocess.run(
        [sys.executable, "-c", program, "train", str(config), *overrides],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    run = tmp_path / done.stdout.splitlines()[-1]
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert max(row["step"] for row in rows) == 2
    assert (run / "best" / "model.safetensors").is_file()
