import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from processes import in_ranks
from scipy import stats
from sklearn import metrics as sk
from text_desk import EXPERIMENT

from ftaug.cli import run
from ftaug.image.augmentations.corruption import corrupted
from ftaug.runs.open_run import open_run
from ftaug.runs.trained_model import TrainedModel


@pytest.fixture(scope="module")
def report(desk):
    assert run(["evaluate", str(desk / "run")]) == 0
    return json.loads((desk / "run" / "report" / "evaluate-test.json").read_text())


@pytest.fixture(scope="module")
def rows(desk, report):
    with (desk / "run" / "report" / "test.samples.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_test_split_is_measured_where_there_is_one(report):
    assert (report["split"], report["samples"]) == ("test", 21)


def test_processes_share_the_work_and_have_the_same_bits(desk, tmp_path):
    opened = open_run(desk / "run")
    split = opened.select_split("test")
    expected = opened.logits(split).tobytes()
    results = in_ranks(tmp_path, 3, lambda ranks: opened.shared_by(ranks).logits(split).tobytes())
    assert results == [expected] * 3


def test_figures_are_those_of_the_predictions_written(report, rows):
    target, prediction = [row["target"] for row in rows], [row["prediction"] for row in rows]
    values = report["metrics"]
    assert values["accuracy"] == pytest.approx(sk.accuracy_score(target, prediction))
    for average in ("macro", "weighted"):
        scores = sk.precision_recall_fscore_support(target, prediction, average=average, zero_division=0)
        names = [f"{name}_{average}" for name in ("precision", "recall", "f1")]
        assert [values[name] for name in names] == pytest.approx(scores[:3])
    likelihoods = [float(row[f"probability_{row['target']}"]) for row in rows]
    assert values["loss"] == pytest.approx(-np.log(likelihoods).mean(), rel=1e-4)
    assert report["confusion"] == sk.confusion_matrix(target, prediction).tolist()
    each = sk.precision_recall_fscore_support(target, prediction, zero_division=0)
    found = [[row[key] for row in report["classes"]] for key in ("precision", "recall", "f1", "samples")]
    np.testing.assert_allclose(found, each)


def test_every_metric_has_its_interval(report):
    accuracy = report["intervals"]["accuracy"]
    right = round(accuracy["value"] * 21)
    expected = stats.binomtest(right, 21).proportion_ci(0.95, "wilson")
    assert (accuracy["low"], accuracy["high"]) == pytest.approx(tuple(expected))
    assert accuracy["method"] == "wilson" and accuracy["note"].startswith("few ")
    for name in set(report["metrics"]) & set(report["intervals"]):
        assert report["intervals"][name]["value"] == pytest.approx(report["metrics"][name])
    row = report["classes"][0]
    expected = stats.binomtest(row["right"], row["samples"]).proportion_ci(0.95, "wilson")
    assert [row["intervals"]["recall"][end] for end in ("low", "high")] == pytest.approx(list(expected))
    assert {"mcc", "kappa", "brier", "auroc_macro", "ece_debiased"} <= set(report["intervals"])


def test_every_sample_is_listed_with_its_class_and_probabilities(desk, rows):
    assert [row["name"] for row in rows] == sorted(str(p) for p in (desk / "photos" / "test").rglob("*.png"))
    for row in rows:
        assert row["name"].split("/")[-2] == row["target"]
        chances = {name: float(row[f"probability_{name}"]) for name in ("blue, mostly", "green", "red")}
        assert sum(chances.values()) == pytest.approx(1.0, abs=1e-4)
        assert max(chances, key=chances.get) == row["prediction"]


def test_another_split_can_be_asked_for_and_json_is_all_of_stdout(desk, capsys):
    assert run(["evaluate", str(desk / "run"), "--split", "val", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["split"], shown["samples"]) == ("val", 18)
    assert all((desk / "run" / "report" / name).is_file() for name in ("evaluate-val.json", "confusion-val.png"))


def test_what_is_printed_names_the_split_and_every_class(desk, capsys):
    assert run(["evaluate", str(desk / "run")]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("21 test samples, step-")
    for words in ("f1_macro", "blue, mostly", "true ↓ predicted →", "confusion-test.png"):
        assert words in shown


@pytest.mark.parametrize(
    ("condition", "code", "words"),
    [
        ("loss<1000", 0, ""),
        ("mcc>=-1", 0, ""),
        ("accuracy.low>=0", 0, ""),
        ("accuracy.low>=0.99", 5, "required accuracy.low >= 0.99, reached 0."),
        ("accuracy.lov>=0", 2, "did you mean 'accuracy.low'?"),
        ("nll.low>=0", 0, ""),
        ("f1_macro>1", 5, "required f1_macro > 1, reached "),
        ("f1_makro>0", 2, "did you mean 'f1_macro'?"),
        ("good", 2, "must be a comparison such as accuracy>=0.9"),
    ],
)
def test_requirements(desk, condition, code, words, capsys):
    assert run(["evaluate", str(desk / "run"), "--require", condition]) == code
    assert words in capsys.readouterr().err


def test_a_requirement_on_what_is_not_measured_is_said_before_the_samples_are_read(desk, monkeypatch, capsys):
    monkeypatch.setattr(TrainedModel, "logits", None)
    assert run(["evaluate", str(desk / "run"), "--require", "acuracy>0"]) == 2
    assert "--require acuracy: is not measured; did you mean 'accuracy'?" in capsys.readouterr().err


def test_a_result_below_the_requirement_is_json_once(desk, capsys):
    assert run(["evaluate", str(desk / "run"), "--json", "--require", "f1_macro>1"]) == 5
    assert json.loads(capsys.readouterr().out)["metrics"]["f1_macro"] <= 1


def test_requirements_on_slices_and_corruptions(desk, monkeypatch, capsys):
    arguments = ["evaluate", str(desk / "run"), "--slices", "brightness", "--corruptions", "fog"]
    assert run([*arguments, "--require", "corruptions.accuracy<0", "--require", "corruptions.fog.accuracy.low<0"]) == 5
    errors = capsys.readouterr().err
    assert "required corruptions.accuracy < 0, reached " in errors
    assert "required corruptions.fog.accuracy.low < 0, reached " in errors
    assert run([*arguments, "--require", "slices.worst.accuracy>=0"]) == 2
    assert "--require slices.worst.accuracy: was not measured: no slice has 30 samples" in capsys.readouterr().err
    monkeypatch.setattr(TrainedModel, "logits", None)
    assert run([*arguments, "--require", "slices.brightnes.accuracy>0"]) == 2
    assert "did you mean 'slices.brightness.accuracy'?" in capsys.readouterr().err
    assert run(["evaluate", str(desk / "run"), "--require", "corruptions.accuracy>0"]) == 2
    assert "--require corruptions.accuracy: `ftaug evaluate --corruptions …` measures it" in capsys.readouterr().err


def test_slices_are_reported_and_their_columns_recorded(desk, capsys):
    assert run(["evaluate", str(desk / "run"), "--split", "train", "--slices", "brightness", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["slices"] == {"metric": "accuracy", "worst": [], "notes": [report["slices"]["notes"][0]]}
    with (desk / "run" / "report" / "train.samples.csv").open(newline="") as file:
        brightness = [float(row["column_brightness"]) for row in csv.DictReader(file)]
    assert len(brightness) == 42 and all(0.2 < value < 0.5 for value in brightness)


def test_a_slice_by_a_column_that_is_not_there_is_said_before_anything_is_predicted(desk, monkeypatch, capsys):
    monkeypatch.setattr(TrainedModel, "logits", None)
    assert run(["evaluate", str(desk / "run"), "--slices", "brightnes"]) == 2
    assert "--slices brightnes: there is no such column; did you mean 'brightness'?" in capsys.readouterr().err


def test_corrupted_samples_are_measured(desk, capsys):
    """The oracle corrupts the pictures itself and predicts them from Python."""
    command = [
        "evaluate",
        str(desk / "run"),
        "--corruptions",
        "contrast",
        "--corruptions",
        "{invert: {probability: 1}}",
    ]
    assert run([*command, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)["corruptions"]
    opened = open_run(desk / "run")
    paths = sorted((desk / "photos" / "test").rglob("*.png"))
    pixels = [np.asarray(Image.open(path)) for path in paths]
    targets = [opened.task.classes.index(path.parent.name) for path in paths]

    def accuracy(change):
        return (opened.predict([change(p) for p in pixels]).argmax(axis=1) == targets).mean()

    contrast, invert = report["corruptions"]
    expected = [accuracy(lambda p, c=c: corrupted("contrast", (c,), 0, p)) for c in (0.75, 0.5, 0.4, 0.3, 0.15)]
    assert [level["value"] for level in contrast["levels"]] == pytest.approx(expected)
    assert [level["value"] for level in invert["levels"]] == pytest.approx([accuracy(lambda p: 255 - p)])
    assert report["clean"]["value"] == pytest.approx(accuracy(lambda p: p))
    assert report["mean"]["value"] == pytest.approx((sum(expected) + invert["value"]) / 6)


def test_test_time_augmentation_has_its_effect(desk, tmp_path, capsys):
    shutil.copytree(desk / "run", tmp_path / "run", symlinks=True)
    resolved = tmp_path / "run" / "resolved.yaml"
    assert "tta: null" in resolved.read_text()
    resolved.write_text(resolved.read_text().replace("tta: null", "tta: flip"))
    assert run(["evaluate", str(tmp_path / "run"), "--json"]) == 0
    effect = json.loads(capsys.readouterr().out)["tta"]
    opened = open_run(tmp_path / "run")
    paths = sorted((desk / "photos" / "test").rglob("*.png"))
    pixels = [np.asarray(Image.open(path)) for path in paths]
    targets = [opened.task.classes.index(path.parent.name) for path in paths]
    single = open_run(desk / "run").predict(pixels).argmax(axis=1) == targets
    averaged = opened.predict(pixels).argmax(axis=1) == targets
    accuracy = effect["metrics"]["accuracy"]
    assert effect["views"] == "flip"
    assert (accuracy["without"], accuracy["with"]) == pytest.approx((single.mean(), averaged.mean()))
    assert effect["corrected"] == (averaged & ~single).sum()


def test_a_folder_that_is_no_run_is_refused(desk, capsys):
    assert run(["evaluate", str(desk / "photos")]) == 66
    assert "not a run folder" in capsys.readouterr().err


def test_texts_are_measured_too(tmp_path, text_desk, texts_importable, capsys):
    lines = [{"label": label, "text": f"the {label} {i}"} for i in range(12) for label in ("cat", "dog")]
    (tmp_path / "texts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    experiment = tmp_path / "animals.yaml"
    experiment.write_text(EXPERIMENT.replace("path: encoder", f"path: {text_desk / 'encoder'}"))
    folder = str(tmp_path / "run")
    assert run(["train", str(experiment), "train.epochs=1", "--run-dir", folder, "--device", "cpu"]) == 0
    capsys.readouterr()
    assert run(["evaluate", folder, "--json", "--corruptions", "keyboard", "--slices", "script"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [row["corruption"] for row in report["corruptions"]["corruptions"]] == ["keyboard"]
    assert len(report["corruptions"]["corruptions"][0]["levels"]) == 5 and report["slices"]["worst"] == []
    names = ["evaluate-val.json", "val.samples.csv", "confusion-val.png", "corruptions-val.png"]
    assert report["files"] == [str(tmp_path / "run" / "report" / name) for name in names]
    with (tmp_path / "run" / "report" / "val.samples.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    source = {f"texts.jsonl:{i + 1}": line["label"] for i, line in enumerate(lines)}
    assert len(rows) == report["samples"] == 6
    assert all(source[row["name"]] == row["target"] for row in rows)
    assert {row["column_script"] for row in rows} == {"latin"}
    right = sum(row["target"] == row["prediction"] for row in rows)
    assert report["metrics"]["accuracy"] == pytest.approx(right / 6)
