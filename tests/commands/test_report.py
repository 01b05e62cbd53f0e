"""`ftaug report` on a trained run: one run, several, folds, and what it refuses."""

import json
import re
import shutil

import pytest
from documents import Reader

from ftaug.cli import run
from ftaug.runs.run_report import collect


@pytest.fixture(scope="module")
def runs(desk, tmp_path_factory):
    """Copies of a run, the second as if it had been trained at another rate."""
    folder = tmp_path_factory.mktemp("reports")
    for name in ("first", "second"):
        shutil.copytree(desk / "run", folder / name, symlinks=True)
    resolved = folder / "second" / "resolved.yaml"
    resolved.write_text(re.sub(r"peak: .*", "peak: 0.5", resolved.read_text()))
    return folder


def last_line(capsys):
    return capsys.readouterr().out.splitlines()[-1]


@pytest.fixture
def quick(monkeypatch):
    """Leave out the sections that compute explanations and invariance, which have tests of their own."""
    slow = (collect.mistakes, collect.confused_pairs, collect.neighbors, collect.augmentation_sheet, collect.invariance)
    monkeypatch.setattr(collect, "SECTIONS", [section for section in collect.SECTIONS if section not in slow])


def test_a_run_in_one_file(runs, quick, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["report", str(runs / "first"), "-o", "a.html", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    reader = Reader((tmp_path / "a.html").read_text())
    keys = [attrs["id"] for attrs in reader.of("section") if attrs["id"] != "alerts"]
    assert keys == list(content["sections"])
    assert keys == ["classes", "training", "reliability", "data", "data_check", "reproduce"]
    assert "blue, mostly" in reader.texts
    assert content["split"] == "test" and content["verdict"].startswith("f1_macro ")
    assert len(content["sections"]["classes"]["classes"]) == 3
    training = (runs / "first" / "report" / "report.html").read_text()
    assert "18 validation samples, which chose the checkpoint" in training and "21 test samples" not in training


def test_markdown_and_the_default_place(runs, quick, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["report", str(runs / "first"), "--output", "a.md"]) == 0
    assert last_line(capsys) == "a.md"
    assert (tmp_path / "a.md").read_text().startswith("# colors\n") and list((tmp_path / "a_files").iterdir())
    path = runs / "first" / "report" / "report.html"
    assert run(["report", str(runs / "first")]) == 0
    assert last_line(capsys) == str(path)
    assert "21 test samples" in path.read_text()


def test_several_runs_side_by_side(runs, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["report", str(runs / "first"), str(runs / "second")]) == 0
    assert last_line(capsys) == "report.html"
    html = (tmp_path / "report.html").read_text()
    assert "No difference between" in html and "<td>lr.peak</td>" not in html and "lr.peak" in html
    capsys.readouterr()
    assert run(["report", str(runs / "first"), str(runs / "second"), "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["sections"]["differences"]["settings"] == {str(runs / "second"): {"lr.peak": ["0.005", "0.5"]}}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["{first}", "-o", "a.pdf"], 2, "a.pdf: must end in .html, .md or .json"),
        (["{first}", "{first}"], 2, "the same run is named twice"),
        (["nowhere"], 66, "nowhere: not a run folder (no resolved.yaml); `ftaug train` prints the folder it writes"),
        (["{first}/resolved.yaml"], 66, "{first}/resolved.yaml: not a run folder (no resolved.yaml)"),
        (["{first}", "-o", "/proc/a.html"], 74, "/proc/a.html: cannot be written: "),
        (["{stopped}"], 66, "{stopped}: its training is not complete; continue it: ftaug train {stopped}"),
        ([], 2, "Missing argument 'RUN...'"),
    ],
)
def test_bad_input_is_one_line(runs, arguments, code, message, tmp_path, capsys):
    places = {"first": runs / "first", "stopped": tmp_path / "stopped"}
    shutil.copytree(runs / "first", places["stopped"], symlinks=True)
    (places["stopped"] / "complete.json").unlink()
    assert run(["report", *(each.format(**places) for each in arguments)]) == code
    lines = [line for line in capsys.readouterr().err.splitlines() if line.strip()]
    assert message.format(**places) in lines[-1]
    assert code == 2 or len(lines) == 1


def test_training_without_a_report(runs, tmp_path, capsys):
    folder = shutil.copytree(runs / "first", tmp_path / "run", symlinks=True)
    for name in ("complete.json", "report/report.html"):
        (folder / name).unlink()
    assert run(["train", str(folder), "--device", "cpu", "--no-report"]) == 0
    assert "report:" not in capsys.readouterr().err and not (folder / "report" / "report.html").exists()
