"""What is reported is computed in fp32, whatever a network was trained in."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ftaug.cli import run
from ftaug.engine.system.checkpoint import step_of
from ftaug.runs.open_run import open_run

CACHED = ("unfreeze=[head]", "train.cache_features={views: 2, place: ram}")


def train(desk, folder, *overrides):
    common = ["--run-dir", str(folder), "--device", "cpu"]
    assert run(["train", str(desk / "colors.yaml"), *common, "train.precision=bf16", *overrides]) == 0
    return folder


@pytest.fixture(scope="module")
def trained(desk, tmp_path_factory):
    """A run that was trained in bf16."""
    return train(desk, tmp_path_factory.mktemp("bf16") / "run", "train.epochs=1")


def test_predictions_are_those_of_a_plain_forward_pass_in_fp32(desk, trained, capsys):
    files = sorted((desk / "photos" / "test" / "red").glob("*.png"))
    assert run(["predict", str(trained), *map(str, files), "--json", "--top-k", "3"]) == 0
    predictions = json.loads(capsys.readouterr().out)
    opened = open_run(trained, "cpu")
    mean, std = (torch.tensor(opened.preprocessing[key]).view(3, 1, 1) for key in ("mean", "std"))
    pixels = torch.stack([torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1) for file in files])
    with torch.no_grad():
        probabilities = opened.model.network((pixels / 255 - mean) / std).softmax(1)
    for row, prediction in zip(probabilities.tolist(), predictions, strict=True):
        by_class = {entry["class"]: entry["probability"] for entry in prediction["predictions"]}
        assert by_class == pytest.approx(dict(zip(opened.task.classes, row, strict=True)), abs=1e-6)


@pytest.mark.parametrize("overrides", [(), CACHED])
def test_metrics_of_training_are_those_of_evaluate(desk, tmp_path, monkeypatch, overrides, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    folder = train(desk, tmp_path / "run", *overrides)
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    recorded = next(row["val"] for row in rows if row["step"] == step_of((folder / "best").resolve()) and "val" in row)
    capsys.readouterr()
    assert run(["evaluate", str(folder), "--split", "val", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["precision"] == "fp32"
    assert {name: report["metrics"][name] for name in recorded} == pytest.approx(recorded, rel=1e-6)


def test_logits_are_the_same_bits_for_any_number_of_workers(trained):
    opened = open_run(trained, "cpu")
    logits = []
    for workers in (0, 0, 1, 2):
        data = replace(opened.experiment.data, workers=workers)
        opened.experiment = replace(opened.experiment, data=data)
        logits.append(opened.logits(opened.select_split("test")))
    assert all(np.array_equal(logits[0], others) for others in logits[1:])


def test_another_precision_is_used_only_where_it_is_set_and_then_named(desk, tmp_path, trained, capsys):
    folder = train(desk, tmp_path / "run", "train.epochs=1", "evaluate.precision=bf16")
    assert "evaluation in bf16" in capsys.readouterr().err
    assert run(["evaluate", str(folder), "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["precision"] == "bf16"
    assert "computed in bf16 (evaluate.precision)" in err
    picture = str(next((desk / "photos" / "test" / "red").glob("*.png")))
    for run_folder, named in ((folder, True), (trained, False)):
        assert run(["predict", str(run_folder), picture]) == 0
        assert ("computed in bf16 (evaluate.precision)" in capsys.readouterr().err) == named
