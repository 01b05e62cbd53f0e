"""A new run that may be meant to continue another one."""

import json
from pathlib import Path

import pytest
from run_files import MODEL, STATUS

from ftaug.cli import run
from ftaug.runs.similar_runs import similar_runs

EXPERIMENT = """
data: {train: {digits: {per_class: 2}}, batch_size: 10, workers: 0}
backbone: {resnet20: {weights: none}}
train: {epochs: 2, max_time: 1e-9}
"""


def make(path: Path, digest: str, data: object) -> None:
    path.mkdir(parents=True)
    (path / "status.json").write_text(json.dumps({**STATUS, "digest": digest}))
    (path / "model.json").write_text(json.dumps({**MODEL, "data": data}))


def test_experiment_and_data_must_be_the_same(tmp_path: Path) -> None:
    runs, data = tmp_path / "runs", {"train": "1"}
    for name, digest, other in (
        ("a-1", "x", data),
        ("a-2", "y", data),
        ("a-3", "x", {"train": "2"}),
        ("b-1", "x", data),
    ):
        make(runs / name, digest, other)
    make(runs / "a-4", "x", data)
    (runs / "a-4" / "status.json").write_text("{")
    (runs / "a-5").write_text("a file")
    folders = [runs, tmp_path / "none", tmp_path / "runs" / ".." / "runs"]
    assert [path.resolve() for path in similar_runs(runs / "new", "a", "x", data, folders)] == [runs / "a-1"]
    assert similar_runs(runs / "a-1", "a", "x", data, folders) == []


def test_a_project_that_is_started_from_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "project" / "scripts").mkdir(parents=True)
    (tmp_path / "project" / "a.yaml").write_text(EXPERIMENT)
    monkeypatch.chdir(tmp_path / "project")
    assert run(["train", "a.yaml"]) == 75
    assert "the same data" not in capsys.readouterr().err
    (first,) = Path("runs").resolve().iterdir()
    monkeypatch.chdir(tmp_path / "project" / "scripts")
    assert run(["train", "../a.yaml"]) == 75
    said = "".join(capsys.readouterr().err.split())
    assert (
        f"{first} is a run of this experiment on the same data; to continue it: --run-dir {first}".replace(" ", "")
        in said
    )
    assert run(["train", "../a.yaml", "--run-dir", str(first)]) == 75
    assert "the same data" not in capsys.readouterr().err
