"""`ftaug transfer`, with results in place of training."""

import json

import pytest

from ftaug.cli import run
from ftaug.experiment_file import load

CONFIG = """
data: {train: digits}
backbone: resnet20
augment: [{rotate: {severity: 0.2}}]
"""


@pytest.fixture
def trained(monkeypatch):
    """Complete each run at once; the accuracy depends on the strength of the augmentation and the seed."""
    runs = []

    def train_file(config, overrides, *, run_dir, **options):
        experiment = load(config, overrides)
        degrees = sum(op.settings.get("degrees", 0) for op in experiment.augment)
        accuracy = 0.8 + 0.001 * degrees + 0.01 * experiment.seed
        (run_dir / "resolved.yaml").write_text("evaluate: {best: accuracy}\n")
        (run_dir / "complete.json").write_text(json.dumps({"step": 1, "best": 1, "metrics": {"accuracy": accuracy}}))
        runs.append((experiment.backbone.settings["weights"], experiment.seed, degrees))

    monkeypatch.setattr("ftaug.runs.study.train_run.train_file", train_file)
    return runs


def test_a_policy_on_two_backbones(write, tmp_path, capsys, trained):
    backbones = "{resnet20: {weights: none}},resnet20"
    arguments = [str(write(CONFIG)), "--to", backbones, "--against", "none", "-o", str(tmp_path / "new" / "study")]
    assert run(["transfer", *arguments, "--json"]) == 0
    results = json.loads(capsys.readouterr().out)["backbones"]
    assert [each["backbone"] for each in results] == ["{resnet20: {weights: none}}", "resnet20"]
    effects = {each["scale"]: (each["difference"], each["verdict"]) for each in results[0]["policy"]}
    assert effects[1.0] == (pytest.approx(0.001 * 18), "helps")  # a severity of 0.2 is 18 degrees
    assert effects[1.5][0] == pytest.approx(0.001 * 27)
    assert len(trained) == len(set(trained)) == 2 * 6 * 4

    assert run(["transfer", *arguments]) == 0
    assert "resnet20: carries over, policy × 1.5 is better than the reference" in capsys.readouterr().out
    assert len(trained) == 2 * 6 * 4  # nothing again


def test_without_backbones(write, capsys):
    assert run(["transfer", str(write(CONFIG))]) == 2
    assert "--to: name the backbones" in capsys.readouterr().err
