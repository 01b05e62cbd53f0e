"""`ftaug reproduce` and `ftaug diff` on runs that were trained."""

import json
import shutil

import pytest
from PIL import Image

from ftaug.cli import run
from ftaug.runs import reproduce


@pytest.fixture(scope="module")
def reproduced(desk, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reproduced")
    assert run(["reproduce", str(desk / "run"), "--output", str(folder / "again")]) == 0
    return folder / "again"


def test_a_run_trained_again_has_the_same_bits(desk, reproduced, capsys):
    assert run(["diff", str(desk / "run"), str(reproduced), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["same"]
    assert (result["settings"], result["machine"], result["data"]) == ({}, {}, {})
    assert {file["file"]: len(file["differing"]) for file in result["files"]} == {"model": 0, "optimizer": 0}
    assert not (reproduced / "report" / "report.html").exists()


def test_other_tensors_end_with_5(desk, reproduced, tmp_path, monkeypatch, capsys):
    """The trained run is replaced by one of other weights: the check must find them."""
    monkeypatch.setattr(reproduce, "train_file", lambda *arguments, **options: None)
    other = shutil.copytree(reproduced, tmp_path / "other", symlinks=True)
    rows = (other / "metrics.jsonl").read_text().splitlines()
    (other / "metrics.jsonl").write_text("\n".join([rows[0].replace('"lr": 0.', '"lr": 1.'), *rows[1:]]) + "\n")
    assert run(["reproduce", str(desk / "run"), "--output", str(other)]) == 5
    out, err = capsys.readouterr()
    assert "settings" not in out
    assert "different bits from step 1 on" in err


def test_changed_data_are_named_before_training(desk, tmp_path, capsys):
    copied = shutil.copytree(desk, tmp_path / "desk", symlinks=True)
    resolved = copied / "run" / "resolved.yaml"
    resolved.write_text(resolved.read_text().replace(str(desk), str(copied)))
    Image.new("RGB", (32, 32)).save(copied / "photos" / "train" / "red" / "new.png")
    assert run(["reproduce", str(copied / "run")]) == 65
    assert "1 sample added" in capsys.readouterr().err
    assert not (copied / "run-reproduced").exists()


def test_what_cannot_be_reproduced(desk, tmp_path, capsys):
    assert run(["reproduce", str(desk / "run"), "--output", str(desk / "run")]) == 2
    stopped = shutil.copytree(desk / "run", tmp_path / "stopped", symlinks=True)
    (stopped / "complete.json").unlink()
    assert run(["reproduce", str(stopped)]) == 2
    assert "is not a complete run; continue it first: ftaug train" in capsys.readouterr().err
    (tmp_path / "folds.json").write_text("{}")
    assert run(["reproduce", str(tmp_path)]) == 2
    assert "holds folds" in capsys.readouterr().err
