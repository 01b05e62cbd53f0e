"""`ftaug replay` repeats the step at which training diverged."""

import json
import shutil

import pytest
from PIL import Image
from run_files import train_colors

from ftaug.cli import run


@pytest.fixture(scope="module")
def diverged(desk, tmp_path_factory):
    """A run whose rate is so high that its weights overflow."""
    folder = tmp_path_factory.mktemp("diverged") / "run"
    overrides = ["optimizer=sgd", "lr={peak: 1e35, schedule: constant}", "data.val=null", "train.epochs=1"]
    assert train_colors(desk, folder, *overrides) == 3
    return folder


def test_the_figures_are_the_same_bits(diverged, capsys, tmp_path):
    sheet = tmp_path / "sheet.png"
    assert run(["replay", str(diverged), "--device", "cpu", "--json", "--output", str(sheet)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["same"]
    assert result["record"]["action"] == "stop"
    assert result["repeated"] == 0
    assert result["origin"] == f"checkpoint of step {result['record']['step'] - 1}"
    assert len(result["samples"]) == 8
    assert Image.open(sheet).size[0] > 800


def test_it_continues_from_an_earlier_checkpoint_and_says_so(diverged, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(diverged, folder, symlinks=True)
    shutil.rmtree(folder / "checkpoints")
    assert run(["replay", str(next((folder / "nonfinite").glob("*.json"))), "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert "from the initial weights and 1 step: loss " in out
    assert "the same bits as in training" in out
    assert (folder / "nonfinite" / "step-0000002.png").is_file()


def test_other_figures_end_with_5(diverged, tmp_path, capsys):
    folder = tmp_path / "run"
    shutil.copytree(diverged, folder, symlinks=True)
    record = next((folder / "nonfinite").glob("*.json"))
    record.write_text(json.dumps(json.loads(record.read_text()) | {"loss": "-inf"}))
    assert run(["replay", str(folder), "--device", "cpu"]) == 5
    assert "step 2 is not repeated bit for bit: loss -inf" in capsys.readouterr().err


def test_a_run_without_such_a_step(desk, capsys):
    assert run(["replay", str(desk / "run")]) == 66
    assert "has no step whose loss or gradient is not finite" in capsys.readouterr().err
