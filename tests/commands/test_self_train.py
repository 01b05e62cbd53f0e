"""`ftaug self-train`: its runs, and the one that it prints."""

import json
import shutil

from ftaug.cli import run


def test_the_student_takes_as_many_steps_and_the_command_is_not_repeated(desk, tmp_path, capsys):
    pool = tmp_path / "pool"
    pool.mkdir()
    for path in sorted((desk / "photos" / "test").rglob("*1.png")):
        shutil.copy(path, pool / f"{path.parent.name}-{path.name}")
    output = tmp_path / "st"
    command = ["self-train", str(desk / "colors.yaml"), "train.epochs=1", "~data.test", "--unlabeled", str(pool)]
    command += ["--members", "1", "--confidence", "0", "-o", str(output), "--device", "cpu"]
    assert run([*command, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    steps = [json.loads((output / name / "complete.json").read_text())["step"] for name in ("member-1", "student")]
    assert steps[0] == steps[1] > 0
    assert result["pseudo_labels"]["samples"] == 3 == len(list(pool.iterdir()))
    assert result["run"] == str(output / ("student" if result["accepted"] else "member-1"))
    assert result["accepted"] == (result["difference"]["value"] >= 0)
    before = {path: path.stat().st_mtime_ns for path in output.rglob("*.safetensors")}
    assert run(command) == 0
    out, err = capsys.readouterr()
    assert out == f"{result['run']}\n" and err.strip().splitlines()[-1].startswith(f"result: {result['run']}, ")
    assert {path: path.stat().st_mtime_ns for path in output.rglob("*.safetensors")} == before


def test_mistakes_end_before_training(desk, tmp_path, capsys):
    command = ["self-train", str(desk / "colors.yaml"), "--unlabeled", str(tmp_path), "-o", str(tmp_path / "st")]
    assert run([*command, "data.val=null"]) == 2
    assert "data.val: self-training compares the student on validation samples" in capsys.readouterr().err
    assert run([*command[:2], "--unlabeled"]) == 2
    assert not (tmp_path / "st").exists()
