"""`ftaug pseudo-label`, and a run that is trained on its table."""

import csv
import json
import shutil

import pytest

from ftaug.cli import run


@pytest.fixture(scope="module")
def pool(desk, tmp_path_factory):
    """All pictures of the desk by other names, those of validation and test among them, and a file that is none."""
    folder = tmp_path_factory.mktemp("pool")
    for number, path in enumerate(sorted((desk / "photos").rglob("*.png"))):
        shutil.copy(path, folder / f"{number:03}-{path.parent.name}.png")
    return folder


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_is_trained_on_and_holds_no_held_out_sample(desk, pool, tmp_path, capsys):
    table = tmp_path / "labels.csv"
    command = ["pseudo-label", str(desk / "run"), "--data", str(pool), "-o", str(table)]
    assert run([*command, "--confidence", "0", "--soft", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    splits = [row["split"] for row in read(desk / "run" / "samples.csv")]
    assert summary["removed"] == {"val": splits.count("val"), "test": 21, "confidence": 0, "cap": 0}
    rows = read(table)
    assert summary["samples"] == len(rows) == splits.count("train") == sum(summary["classes"].values())
    assert all(
        sum(float(row[f"probability_{name}"]) for name in summary["classes"]) == pytest.approx(1) for row in rows
    )
    override = f"data.pseudo_labels={summary['dataset']}"
    student = tmp_path / "student"
    arguments = ["train", str(desk / "colors.yaml"), override, "--run-dir", str(student), "--no-report"]
    assert run([*arguments, "train.epochs=1"]) == 0
    model = json.loads((student / "model.json").read_text())
    assert (model["train_samples"], model["pseudo_labeled_samples"]) == (splits.count("train"), len(rows))
    trained = [row["sample"] or row["key"] for row in read(student / "samples.csv") if row["split"] == "train"]
    assert len(trained) == 2 * splits.count("train")
    assert [row["key"] for row in read(student / "samples.csv") if row["split"] == "val"] == [
        row["key"] for row in read(desk / "run" / "samples.csv") if row["split"] == "val"
    ]


def test_labels_that_are_chosen_on_validation_and_capped(desk, pool, tmp_path, capsys):
    (pool / "broken.png").write_bytes(b"no picture")
    table = tmp_path / "labels.csv"
    command = ["pseudo-label", str(desk / "run"), "--data", str(pool), "-o", str(table), "--per-class", "2"]
    code = run([*command, "--precision", "0.4"])
    out, err = capsys.readouterr()
    assert code == 65 and out.strip() == str(table)
    assert "chosen on validation" in err and "1 of 82 could not be read" in err
    assert "data.pseudo_labels={image_table:" in err
    rows = read(table)
    assert [*rows[0]] == ["path", "label", "confidence", "agreement"]
    assert max([row["label"] for row in rows].count(name) for name in {row["label"] for row in rows}) <= 2


@pytest.mark.parametrize(
    ("options", "code", "problem"),
    [
        (["-o", "labels.txt"], 2, "labels.txt: must end in .csv"),
        (["-o", "labels.csv", "--confidence", "1"], 65, "samples gets a pseudo-label"),
    ],
)
def test_mistakes(desk, pool, tmp_path, monkeypatch, capsys, options, code, problem):
    monkeypatch.chdir(tmp_path)
    assert run(["pseudo-label", str(desk / "run"), "--data", str(pool), *options]) == code
    assert problem in capsys.readouterr().err
    assert not (tmp_path / "labels.csv").exists()
