"""A run whose data changed since: what it has learned and how they were split is not decided again."""

import json
from pathlib import Path

import pytest

from ftaug.cli import run

EXPERIMENT = """
name: tastes
modality: text
data:
  train: {text_table: {path: t.csv}}
  val: {split: 25%}
  test: {text_table: {path: u.csv}}
  batch_size: 8
  workers: 0
backbone: {tiny_text: {weights: none, max_length: 8}}
train: {epochs: 2}
evaluate: {every: 1 epoch}
"""
LINES = [f"a {name} film of {n},{name}" for n in range(12) for name in ("bad", "good")]


def write(name: str, *lines: str) -> None:
    Path(name).write_text("\n".join(["text,label", *lines]) + "\n")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("t.csv", *LINES)
    write("u.csv", "good fun,good", "bad taste,bad")
    Path("e.yaml").write_text(EXPERIMENT)
    return tmp_path


def evaluated(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    capsys.readouterr()
    assert run(["evaluate", "r", "--json", *arguments]) == 0
    found: dict = json.loads(capsys.readouterr().out)
    return found


def test_a_finished_run_on_other_data_is_not_complete(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "e.yaml", "--run-dir", "r"]) == 0
    before = evaluated(capsys, "--split", "val")
    assert (before["samples"], "cautions" in before) == (6, False)
    kept = {path: path.read_bytes() for path in Path("r").rglob("*") if path.is_file()}

    write("t.csv", "so so,odd", "a bad film of 0,good", *LINES[1:-1])
    assert run(["train", "e.yaml", "--run-dir", "r"]) == 73
    captured = capsys.readouterr()
    assert (captured.out, "already complete" in captured.err) == ("", False)
    assert "r: data.train changed since training: class odd added, 1 sample added (" in captured.err
    assert "t.csv:2), 1 sample removed (" in captured.err
    assert "t.csv:2: bad → good); restore the data, or start over in a new folder with --fresh" in captured.err
    assert {path: path.read_bytes() for path in Path("r").rglob("*") if path.is_file()} == kept

    after = evaluated(capsys, "--split", "val")
    assert f"{desk / 't.csv'}:2," not in Path("r/report/val.samples.csv").read_text()
    assert after["samples"] in (5, 6)  # the one that was removed may have been among them
    assert after["cautions"][0].startswith("data.train changed since training: class odd added")
    assert [row["class"] for row in after["classes"]] == ["bad", "good"]
    assert evaluated(capsys)["samples"] == 2  # the test samples are another table, and did not change

    write("t.csv", *LINES)
    assert run(["train", "e.yaml", "--run-dir", "r"]) == 0
    assert "already complete: r" in capsys.readouterr().err
    Path("t.csv").unlink()
    assert run(["train", "e.yaml", "--run-dir", "r"]) == 0
    assert "r: its data cannot be compared, as they do not exist (" in capsys.readouterr().err
    assert evaluated(capsys)["samples"] == 2
    write("u.csv", "good fun,good", "bad taste,bad", "bad luck,bad")
    found = evaluated(capsys)
    assert found["samples"] == 2
    assert found["cautions"] == [f"data.test changed since training: 1 sample added ({desk / 'u.csv'}:4)"]


@pytest.mark.parametrize("options", [[], ["--folds", "2", "train.epochs=1"]])
def test_fresh_begins_anew_where_what_it_would_continue_is_on_other_data(desk: Path, options: list[str]) -> None:
    command = ["train", "e.yaml", "--run-dir", "r", "--fresh", *options]
    assert run([*command, "train.max_time=1e-9"]) == 75
    write("t.csv", *LINES, "late film,good")
    assert run([*command, "train.max_time=1e-9"]) == 75
    assert run(command) == 0
    assert sorted(path.name for path in desk.iterdir() if path.is_dir()) == ["r", "r-2"]


def test_data_that_lie_elsewhere_are_the_same_data(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here, there = (
        [f"data.{p}.text_table.path={f}{t}.csv" for p, t in (("train", "t"), ("test", "u"))] for f in ("", "d/")
    )
    Path("d").mkdir()
    for name in ("t.csv", "u.csv"):
        Path("d", name).write_text(Path(name).read_text())
    assert run(["train", "e.yaml", "--run-dir", "r", *here, "train.max_time=1e-9"]) == 75
    for name in ("t.csv", "u.csv"):
        Path(name).unlink()
    assert run(["train", "e.yaml", "--run-dir", "r", *there]) == 0
    assert evaluated(capsys)["samples"] == 2
    Path("d").rename("e")
    elsewhere = [setting.replace("d/", "e/") for setting in there]
    assert run(["train", "e.yaml", "--run-dir", "r", *elsewhere]) == 0
    assert "already complete: r" in capsys.readouterr().err
    assert evaluated(capsys)["samples"] == 2
    assert run(["train", "e.yaml", "--run-dir", "r", *elsewhere, "lr.peak=1"]) == 2
    assert capsys.readouterr().err.splitlines()[1:] == ["lr.peak: 0.001 → 1.0"]


def test_an_unfinished_run_does_not_go_on_with_other_data(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "e.yaml", "--run-dir", "r", "train.max_time=1e-9"]) == 75
    write("t.csv", *LINES, "late film,good")
    assert run(["train", "e.yaml", "--run-dir", "r"]) == 73
    assert "data.train changed since training: 1 sample added (" in capsys.readouterr().err
    assert run(["inspect", "r", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"] == {"train": 18, "val": 6, "test": 2}
    write("t.csv", *LINES)
    assert run(["train", "e.yaml", "--run-dir", "r"]) == 0
