"""`ftaug ablate` on small data."""

import json

import pytest

from ftaug.cli import run

CONFIG = """
data: {train: {digits: {per_class: 4}}, val: {split: 50%}, workers: 0, batch_size: 20}
backbone: resnet20
augment:
  - torchvision.Identity
  - rotate
train: {epochs: 1}
lr: {peak: 3e-3}
"""


@pytest.fixture
def ablate(write, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    config = str(write(CONFIG))

    def ablate(*arguments):
        code = run(["ablate", config, *arguments])
        return code, capsys.readouterr()

    return ablate


def test_identity_has_no_effect_and_more_seeds_continue(ablate, tmp_path):
    arguments = ("--over", "augment.0", "--add", "none", "--json")
    code, output = ablate("--seeds", "2", *arguments)
    assert code == 0, output.err
    result = json.loads(output.out)
    (part,) = result["parts"]
    assert (part["part"], part["by_seed"], part["verdict"]) == ("augment.0", [0.0, 0.0], None)
    assert result["notes"] == ["2 seeds cannot reach 5 %: the smallest possible p is 0.5; 6 can"]
    folder = tmp_path / result["folder"]
    metrics = {path.name: (path / "complete.json").stat().st_mtime_ns for path in folder.iterdir() if path.is_dir()}
    assert set(metrics) == {f"{name}-seed-{seed}" for name in ("baseline", "removed-augment.0") for seed in (0, 1)}
    assert json.loads((folder / "baseline-seed-0" / "complete.json").read_text())["metrics"][
        result["metric"]
    ] == pytest.approx(result["baseline"][0])

    code, output = ablate("--seeds", "3", *arguments)
    assert code == 0, output.err
    more = json.loads(output.out)
    assert more["baseline"][:2] == result["baseline"]
    assert more["seeds"] == [0, 1, 2]
    for name, modified in metrics.items():
        assert (folder / name / "complete.json").stat().st_mtime_ns == modified

    code, output = ablate("train.epochs=2", "-o", str(folder), *arguments)
    assert code == 2
    assert "holds another study" in output.err
    assert "train.epochs: 1 → 2" in output.err


def test_wrong_names(ablate):
    assert ablate("--over", "augmnt")[0] == 2
    assert ablate("--add", "rotat")[0] == 2


@pytest.mark.slow
def test_planted_parts_are_shown(write, tmp_path, capsys):
    """Two inversions undo each other: without either, training sees negatives, as with a third."""
    config = CONFIG.replace("per_class: 4", "per_class: 40").replace("epochs: 1", "epochs: 3")
    config = config.replace("- rotate", "- invert: {probability: 1}\n  - invert: {probability: 1}")
    arguments = [
        "--over",
        "augment",
        "--add",
        "{solarize: {threshold: 0, probability: 1}}",
        "-o",
        str(tmp_path / "study"),
        "--json",
    ]
    assert run(["ablate", str(write(config)), *arguments]) == 0
    result = json.loads(capsys.readouterr().out)
    verdicts = {part["part"]: part["verdict"] for part in result["parts"]}
    assert verdicts == {
        "invert": "helps",
        "invert#1": "helps",
        "{solarize: {threshold: 0, probability: 1}}": "hurts",
        "torchvision.Identity": None,
    }
