"""`ftaug self-train`: its runs, and the one that it prints."""

import csv
import json
import shutil

from run_files import noise

from ftaug.cli import run
from ftaug.runs import self_training


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
    assert "soft" not in result["pseudo_labels"]["dataset"]
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


def plant_wrong_labels(monkeypatch):
    """Give each pseudo-labeled sample the class and the probabilities of another one."""
    write = self_training.write_pseudo_labels

    def wrong(members, named, table, options, *, trust_plugins):
        labels = write(members, named, table, options, trust_plugins=trust_plugins)
        with table.open(newline="") as file:
            rows = [*csv.DictReader(file)]
        columns = [name for name in rows[0] if name.startswith("probability_")]
        classes = [name.removeprefix("probability_") for name in columns]
        for row in rows:
            row["label"] = classes[classes.index(row["label"]) - 1]
            values = [row[name] for name in columns]
            row.update(zip(columns, [*values[1:], values[0]], strict=True))
        with table.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        return labels

    monkeypatch.setattr(self_training, "write_pseudo_labels", wrong)


def test_planted_wrong_labels_leave_the_run_without_them(desk, tmp_path, monkeypatch, capsys):
    plant_wrong_labels(monkeypatch)
    pool, output = tmp_path / "pool", tmp_path / "st"
    pool.mkdir()
    for channel in range(3):
        for number in range(30):
            noise(channel, seed=10_000 + 100 * channel + number).save(pool / f"{channel}-{number}.png")
    command = ["self-train", str(desk / "colors.yaml"), "train.epochs=8", "~data.test", "--unlabeled", str(pool)]
    command += ["--members", "1", "--confidence", "0", "--soft", "-o", str(output), "--device", "cpu", "--json"]
    assert run(command) == 0
    result = json.loads(capsys.readouterr().out)
    difference = result["difference"]
    assert difference["labeled"] > 0.9 and difference["high"] < 0  # the student is shown to be worse
    assert not result["accepted"] and result["run"] == str(output / "member-1")
