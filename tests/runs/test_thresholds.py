"""Thresholds of labels: the best F1 on validation against trying all, and the same decisions in every command."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import f1_score

from ftaug.cli import run
from ftaug.errors import BadData
from ftaug.runs.thresholds import best_f1, read

EXPERIMENT = """
data:
  train: {image_table: {path: labels.csv, labels_separator: "|"}}
  val: {image_table: {path: labels.csv, labels_separator: "|"}}
  batch_size: 8
  workers: 0
backbone: {resnet20: {weights: letters}}
loss: binary_cross_entropy
evaluate: {metrics: [f1], best: f1, thresholds: f1}
train: {epochs: 1, precision: fp32}
"""


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("decimals", [1, 6])
def test_no_other_threshold_has_a_better_f1(seed, decimals):
    rng = np.random.default_rng(seed)
    targets = (rng.random(40) < 0.3).astype(np.uint8)
    probabilities = np.clip(0.3 * targets + 0.7 * rng.random(40), 0, 1).round(decimals).astype(np.float32)
    threshold = best_f1(probabilities, targets)
    best = max(f1_score(targets, probabilities > t, zero_division=0) for t in [-1, *np.unique(probabilities), 0.5])
    assert f1_score(targets, probabilities > threshold) == pytest.approx(best)
    assert 0 <= threshold < 1


def test_a_label_of_no_sample_keeps_one_half():
    assert best_f1(np.array([0.2, 0.9], np.float32), np.zeros(2, np.uint8)) == 0.5


def test_of_equal_thresholds_the_one_nearest_to_one_half():
    assert best_f1(np.array([0.1, 0.7], np.float32), np.array([0, 1], np.uint8)) == pytest.approx(0.4)


def table_of(folder):
    rng = np.random.default_rng(0)
    rows = ["path,label"]
    for number in range(24):
        labels = [name for name, share in (("bright", 0.5), ("rare", 0.15)) if rng.random() < share]
        pixels = rng.integers(0, 100, (32, 32, 3)) + 150 * ("bright" in labels)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
        rows.append(f"{number}.png,{'|'.join(labels or ['none'])}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    (folder / "experiment.yaml").write_text(EXPERIMENT)


def test_train_keeps_them_and_evaluate_predict_and_export_use_them(tmp_path, monkeypatch, capsys):
    table_of(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert run(["train", "experiment.yaml", "--run-dir", "r", "--device", "cpu"]) == 0
    assert "best F1 on validation" in capsys.readouterr().err
    tuned = json.loads((tmp_path / "r" / "thresholds.json").read_text())["thresholds"]
    assert set(tuned) == {"bright", "none", "rare"}
    assert run(["evaluate", "r", "--split", "val", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["thresholds"] == tuned
    with (tmp_path / "r" / "report" / "val.samples.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        above = [name for name in sorted(tuned) if float(row[f"probability_{name}"]) > tuned[name] + 1e-5]
        assert set(above) <= set(row["prediction"].split("|"))
    assert sum(row["predicted"] for row in report["classes"]) == sum(
        len([name for name in row["prediction"].split("|") if name]) for row in rows
    )
    assert run(["predict", "r", *(row["name"] for row in rows), "--json"]) == 0
    predicted = json.loads(capsys.readouterr().out)
    assert ["|".join(one["labels"]) for one in predicted] == [row["prediction"] for row in rows]
    assert all(len(one["predictions"]) == 3 for one in predicted)
    assert run(["export", "r", "--format", "safetensors"]) == 0
    about = [json.loads(path.read_text()) for path in (tmp_path / "r" / "exports").rglob("*.json")]
    (exported,) = (one for one in about if "thresholds" in one)
    assert dict(zip(exported["classes"], exported["thresholds"], strict=True)) == tuned


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["data.val=null"], "evaluate.thresholds"),
        (["evaluate.thresholds=f2"], "evaluate.thresholds"),
    ],
)
def test_what_cannot_be_tuned_is_refused_by_validate(tmp_path, monkeypatch, capsys, overrides, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiment.yaml").write_text(EXPERIMENT)
    assert run(["validate", "experiment.yaml", *overrides]) == 2
    assert words in capsys.readouterr().err


def test_one_class_a_sample_has_none(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiment.yaml").write_text(
        "data: {train: digits, val: digits}\nbackbone: {resnet20: {weights: none}}\nevaluate: {thresholds: f1}\n"
    )
    assert run(["train", "experiment.yaml", "--device", "cpu"]) == 2
    assert "evaluate.thresholds: are for any number of classes a sample" in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", ["{}", '{"thresholds": 3}', '{"thresholds": {"a": "high"}}', '{"thresholds": {"a": 0.5}}']
)
def test_damaged_thresholds_are_bad_data(tmp_path, content):
    (tmp_path / "thresholds.json").write_text(content)
    with pytest.raises(BadData, match=r"thresholds\.json: .*; restore it from a copy, or train again with --fresh"):
        read(tmp_path, ("a", "b"))
