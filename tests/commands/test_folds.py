"""`ftaug train --folds`: runs that share the training samples out, and all commands on what they make together."""

import csv
import json
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from processes import Command
from safetensors.numpy import load_file
from small_networks import small_resnet, small_text

from ftaug.cli import run
from ftaug.runs.run_report import collect

__all__ = ["small_resnet", "small_text"]
SHORT = ["--folds", "3", "train.epochs=1", "--device", "cpu"]
TEXTS = """
modality: text
data: {train: {docstrings: {per_class: 4}}, batch_size: 8, workers: 0}
backbone: {tiny_text: {weights: none, max_length: 12}}
train: {precision: fp32}
"""


def train(desk, folder, *more):
    return run(["train", str(desk / "colors.yaml"), "--run-dir", str(folder), *SHORT, *more])


@pytest.fixture(scope="module")
def made(desk, small_resnet, tmp_path_factory):
    """A finished run of folds."""
    folder = tmp_path_factory.mktemp("folds") / "three"
    assert train(desk, folder) == 0
    return folder


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def weights(folder):
    return load_file(folder / "best" / "model.safetensors")


def test_every_sample_is_held_out_once(made, desk):
    held = []
    for number in (1, 2, 3):
        fold = made / f"fold-{number}"
        assert run(["evaluate", str(fold), "--split", "val"]) == 0
        held.append({row["name"] for row in rows(fold / "report" / "val.samples.csv")})
    assert [len(part) for part in held] == [20, 20, 20]
    assert len(set.union(*held)) == 60


def test_the_summary_is_the_mean_of_the_runs(made, desk, capsys):
    assert train(desk, made, "--json", "--require", "f1>=0") == 0
    shown = capsys.readouterr()
    said = json.loads(shown.out)
    each = [json.loads((made / f"fold-{n}" / "complete.json").read_text())["metrics"] for n in (1, 2, 3)]
    for name, mean in said["metrics"].items():
        values = [one[name] for one in each]
        assert said["each"][name] == values
        assert mean == pytest.approx(np.mean(values)) and said["sd"][name] == pytest.approx(np.std(values, ddof=1))
    assert shown.err.count("already complete") == 3
    assert train(desk, made, "--require", "f1>=1.1") == 5


def test_the_test_samples_are_judged_by_the_mean_of_all(made, capsys):
    assert run(["evaluate", str(made), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["split"] == "test" and said["checkpoint"] == "the 3 folds"
    parts = []
    for number in (1, 2, 3):
        assert run(["evaluate", str(made / f"fold-{number}")]) == 0
        parts.append(rows(made / f"fold-{number}" / "report" / "test.samples.csv"))
    for together, *apart in zip(rows(made / "report" / "test.samples.csv"), *parts, strict=True):
        for name in (name for name in together if name.startswith("probability_")):
            mean = np.mean([float(one[name]) for one in apart])
            assert float(together[name]) == pytest.approx(mean, rel=1e-3, abs=1e-6)


def test_training_samples_are_judged_by_the_model_that_did_not_see_them(made, capsys):
    unchanged = ["--corruptions", "{invert: {probability: 0}}"]
    assert run(["evaluate", str(made), "--split", "val", "--json", *unchanged]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["split"] == "out-of-fold" and said["samples"] == 60
    assert said["corruptions"]["corruptions"][0]["value"] == pytest.approx(said["metrics"]["accuracy"])
    for number in (1, 2, 3):
        assert run(["evaluate", str(made / f"fold-{number}"), "--split", "val"]) == 0
    own = [row for n in (1, 2, 3) for row in rows(made / f"fold-{n}" / "report" / "val.samples.csv")]
    found = {row["name"]: row for row in rows(made / "report" / "out-of-fold.samples.csv")}
    assert len(found) == 60 and all(found[row["name"]] == row for row in own)


def test_the_report_is_of_predictions_out_of_fold(made, tmp_path, monkeypatch):
    monkeypatch.setattr(collect, "SECTIONS", (collect.per_class, collect.data_card))
    assert not list(made.glob("**/report.html"))  # folds have none of their own
    assert run(["report", str(made), "--split", "val", "-o", str(tmp_path / "a.json")]) == 0
    content = json.loads((tmp_path / "a.json").read_text())
    assert "on 60 validation samples, predicted out of fold" in content["verdict"]
    assert content["sections"]["data"]["samples"] == {"train": 60, "test": 21}


def test_predict_export_and_inspect_take_the_folder(made, desk, capsys):
    capsys.readouterr()
    assert run(["predict", str(made), str(desk / "photos" / "test" / "red"), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 7
    assert run(["export", str(made), "--format", "onnx", "--format", "torch_export"]) == 0
    assert run(["inspect", str(made)]) == 0
    assert "layer1" in capsys.readouterr().out


@pytest.mark.parametrize("format", ["safetensors", "adapter", "transformers"])
def test_formats_of_one_network_say_what_to_do(made, capsys, format):
    assert run(["export", str(made), "--format", format]) == 2
    expected = f"exporter '{format}': holds one network, and {made} has 3; export {made / 'fold-1'}, or use onnx or "
    assert expected in capsys.readouterr().err


def test_killed_and_repeated_it_goes_on_where_it_was(made, desk, place):
    for number, code in ((signal.SIGKILL, -9), (signal.SIGTERM, 75)):
        process = Command(["train", str(desk / "colors.yaml"), "--run-dir", str(place / "runs"), *SHORT])
        watched = place / "runs" / ("fold-2" if number == signal.SIGKILL else "fold-3") / "train.log"
        while not watched.exists() and process.poll() is None:
            time.sleep(0.01)
        assert process.kill(number) == code, process.output
    first = (place / "runs" / "fold-1" / "complete.json").stat().st_mtime_ns
    assert not json.loads((place / "runs" / "folds.json").read_text())["complete"]
    assert run(["evaluate", str(place / "runs")]) == 66
    assert train(desk, place / "runs") == 0
    assert (place / "runs" / "fold-1" / "complete.json").stat().st_mtime_ns == first
    for n in (1, 2, 3):
        one, other = weights(made / f"fold-{n}"), weights(place / "runs" / f"fold-{n}")
        assert one.keys() == other.keys()
        assert all(np.allclose(one[name], other[name], rtol=1e-3, atol=1e-4) for name in one)


def test_texts_and_the_place_of_runs_of_folds(place, small_text, monkeypatch, capsys):
    monkeypatch.chdir(place)
    Path("texts.yaml").write_text(TEXTS)
    assert run(["train", "texts.yaml", *SHORT[:3]]) == 0
    folder = capsys.readouterr().out.strip()
    assert folder.startswith("runs/texts-") and folder.endswith("-folds")
    assert run(["predict", folder, "a line of text"]) == 0
    assert run(["evaluate", folder]) == 0  # there is no test split
    assert "out-of-fold samples, the 3 folds of" in capsys.readouterr().out
    assert run(["train", "texts.yaml", *SHORT[:3], "--fresh"]) == 0
    assert capsys.readouterr().out.strip() == f"{folder}-2"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--folds", "90"], 65, "cannot make 90 folds of 60 samples"),
        (["data.val={fold: 4, of: 3}"], 2, "data.val.fold must be from 1 to 3; got 4"),
        (["data.val={fold: 1, of: 1}"], 2, "data.val.of must be 2 or more; got 1"),
    ],
)
def test_what_cannot_be_is_said(desk, place, capsys, arguments, code, message):
    assert run(["train", str(desk / "colors.yaml"), "--run-dir", str(place / "run"), *arguments]) == code
    assert message in capsys.readouterr().err
    assert not (place / "run").exists()


def test_other_folds_are_not_mixed(made, desk, place, capsys):
    assert train(desk, made, "--folds", "4") == 2
    assert f"{made} holds 3 folds: use --fresh or another --run-dir" in capsys.readouterr().err
    assert train(desk, made, "lr.peak=1") == 2
    assert f"{made} holds folds of another experiment" in capsys.readouterr().err
    shutil.copytree(desk / "photos", place / "full")
    assert train(desk, place / "full") == 73


def test_a_class_of_one_sample_is_named(desk, place, capsys):
    shutil.copytree(desk / "photos", place / "photos")
    shutil.copy(desk / "colors.yaml", place)
    for path in sorted((place / "photos" / "train" / "green").iterdir())[1:]:
        path.unlink()
    assert train(place, place / "run") == 65
    assert "class 'green' has 1 sample, which cannot be in both training and validation" in capsys.readouterr().err
