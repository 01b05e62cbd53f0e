"""A run that tells numbers, from the table to what programs elsewhere get."""

import csv
import json

import numpy as np
import onnxruntime
import pytest
from PIL import Image
from sklearn import metrics as sk

from ftaug.cli import run

EXPERIMENT = """
name: places
data:
  train: {image_table: {path: places.csv, target: [across, down]}}
  val: {split: 30%}
  batch_size: 8
  workers: 0
backbone: {resnet20: {weights: none}}
mix: {mixup: {probability: 0.2}}
loss: mse
lr: {peak: 1e-2}
train: {epochs: 2, precision: fp32}
evaluate: {metrics: [mae, r2]}
"""
ROWS, COLUMNS = np.mgrid[:32, :32]


def spot(folder, number):
    """A picture of a bright spot; where it is, in odd units."""
    rng = np.random.default_rng(number)
    x, y = rng.uniform(4, 28, 2)
    picture = 200 * np.exp(-((COLUMNS - x) ** 2 + (ROWS - y) ** 2) / 12) + rng.integers(0, 40, (32, 32))
    Image.fromarray(picture.astype(np.uint8)).convert("RGB").save(folder / f"{number}.png")
    return [f"{number}.png", 1000 + 50 * x, y / 100]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("places")
    with (folder / "places.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "across", "down"], *(spot(folder, number) for number in range(60))])
    (folder / "places.yaml").write_text(EXPERIMENT)
    assert run(["train", str(folder / "places.yaml"), "--run-dir", str(folder / "run"), "--device", "cpu"]) == 0
    return folder


@pytest.fixture(scope="module")
def report(desk):
    assert run(["evaluate", str(desk / "run")]) == 0
    return json.loads((desk / "run" / "report" / "evaluate-val.json").read_text())


@pytest.fixture(scope="module")
def rows(desk, report):
    with (desk / "run" / "report" / "val.samples.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_scale_of_the_training_targets_is_kept(desk, rows):
    model = json.loads((desk / "run" / "model.json").read_text())
    with (desk / "places.csv").open(newline="") as file:
        known = {str(desk / row["path"]): row for row in csv.DictReader(file)}
    trained = [row for path, row in known.items() if path not in {one["name"] for one in rows}]
    values = np.array([[float(row["across"]), float(row["down"])] for row in trained])
    assert model["regression"] is True and model["activation"] == "identity"
    np.testing.assert_allclose(model["target_mean"], values.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(model["target_std"], values.std(axis=0), rtol=1e-5)


def test_figures_are_those_of_the_predictions_in_the_users_units(desk, report, rows):
    true = np.array([[float(row["target_across"]), float(row["target_down"])] for row in rows])
    said = np.array([[float(row["prediction_across"]), float(row["prediction_down"])] for row in rows])
    values = report["metrics"]
    assert values["mae"] == pytest.approx(sk.mean_absolute_error(true, said), rel=1e-4)
    assert values["r2"] == pytest.approx(sk.r2_score(true, said), rel=1e-3)
    std = np.array(json.loads((desk / "run" / "model.json").read_text())["target_std"])
    assert values["loss"] == pytest.approx((((true - said) / std) ** 2).mean(), rel=1e-3)
    each = [row["rmse"] for row in report["numbers"]]
    assert each == pytest.approx(sk.root_mean_squared_error(true, said, multioutput="raw_values"), rel=1e-3)
    errors = np.abs(true - said) / true.std(axis=0)
    sample, number = np.unravel_index(errors.argmax(), errors.shape)
    assert report["worst"][0]["sample"] == rows[sample]["name"]
    assert report["worst"][0]["number"] == ("across", "down")[number]
    assert "confusion" not in report and (desk / "run" / "report" / "scatter-val.png").is_file()


def test_what_is_printed_says_where_it_is_farthest_off(desk, report, capsys):
    assert run(["evaluate", str(desk / "run")]) == 0
    shown = capsys.readouterr().out
    for words in ("spearman", "farthest off", "across", "scatter-val.png"):
        assert words in shown


def test_predictions_are_numbers_and_an_export_gives_the_same(desk, rows, capsys):
    assert run(["export", str(desk / "run"), "--format", "onnx", "--format", "safetensors"]) == 0
    session = onnxruntime.InferenceSession(desk / "run" / "exports" / "onnx" / "places.onnx")
    assert session.get_modelmeta().custom_metadata_map["activation"] == "identity"
    capsys.readouterr()
    assert run(["predict", str(desk / "run"), rows[0]["name"], "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert [output.name for output in session.get_outputs()] == ["values"]
    (answer,) = session.run(None, {"images": np.asarray(Image.open(rows[0]["name"]))[None]})
    assert list(found["numbers"].values()) == pytest.approx(answer[0].tolist(), rel=1e-4)
    assert found["numbers"]["across"] == pytest.approx(float(rows[0]["prediction_across"]), rel=1e-4)
    assert run(["predict", str(desk / "run"), rows[0]["name"]]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[1].split() == ["input", "across", "down"]


def test_weights_alone_answer_in_the_users_units_too(desk, capsys):
    entry = json.loads((desk / "run" / "exports" / "safetensors" / "parity.json").read_text())
    assert entry["parity"] is True
    from safetensors.numpy import load_file

    bias = load_file(desk / "run" / "exports" / "safetensors" / "places.safetensors")["fc.bias"]
    assert 900 < bias[0] < 2600


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (
            ["loss={cross_entropy: {label_smoothing: 0.1}}"],
            "loss: cross_entropy is for one class a sample, but data.train has numbers; use huber, mae or mse",
        ),
        (["evaluate.metrics=[accuracy]"], "evaluate.metrics.0: accuracy is for one class a sample or any number"),
        (["mix=cutmix"], "mix: cutmix is for one class a sample or any number of classes a sample"),
        (["mix={one_of: {choices: [mixup, cutmix]}}"], "data.train has numbers; use mixup"),
        (
            ["mix=null", "objective=r_drop"],
            "objective compares predictions by softmax, but the loss mse uses identity",
        ),
        (["data.sampler=balanced"], "data.sampler: balanced is for one class a sample, but data.train has numbers"),
        (["augment=[{horizontal_flip: {label_map: {a: b}}}]"], "augment.0.horizontal_flip.label_map: names classes"),
    ],
)
def test_what_is_for_classes_is_refused_before_training(desk, overrides, words, capsys):
    assert run(["train", str(desk / "places.yaml"), *overrides, "--run-dir", str(desk / "refused")]) == 2
    assert words in capsys.readouterr().err
    assert not (desk / "refused").exists()


def test_all_that_does_not_fit_is_told_at_once_each_with_its_line(desk, capsys):
    text = EXPERIMENT.replace("mse", "focal").replace("{mixup: {probability: 0.2}}", "cutmix")
    (desk / "wrong.yaml").write_text(text)
    assert run(["train", str(desk / "wrong.yaml"), "--run-dir", str(desk / "refused")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in lines] == ["mix", "loss"]
    assert [line.split(":")[1] for line in lines] == ["9", "10"]


def test_numbers_do_not_fit_a_run_of_classes_either(tmp_path, capsys):
    (tmp_path / "a.yaml").write_text("data: {train: digits}\nbackbone: {resnet20: {weights: none}}\nloss: huber\n")
    assert run(["train", str(tmp_path / "a.yaml"), "--run-dir", str(tmp_path / "run")]) == 2
    errors = capsys.readouterr().err
    assert "a.yaml:3:7: loss: huber is for numbers, but data.train has one class a sample; use" in errors


def test_classes_to_rank_or_balance_are_refused(desk, rows, capsys):
    assert run(["predict", str(desk / "run"), rows[0]["name"], "--top-k", "2"]) == 2
    assert "--top-k: the run predicts numbers, not classes; leave it out" in capsys.readouterr().err
    config = str(desk / "places.yaml")
    common = ["augment", config, "augment=[horizontal_flip]", "--output", str(desk.parent / "copies")]
    assert run([*common, "--format", "table", "--per-class", "balance"]) == 2
    assert "these have numbers" in capsys.readouterr().err
    assert run(common) == 2
    assert "--format folder: these samples have numbers; use --format table" in capsys.readouterr().err


def test_augmented_copies_keep_their_numbers(desk, tmp_path):
    out = tmp_path / "copies"
    line = ["augment", str(desk / "places.yaml"), "augment=[rotate]", "--output", str(out), "--format", "table"]
    assert run(line) == 0
    table = {"image_table": {"path": str(out / "provenance.csv"), "target": ["across", "down"]}}
    (tmp_path / "b.yaml").write_text(f"data: {{train: {json.dumps(table)}}}\nbackbone: resnet20\n")
    from ftaug.engine.loading.split import load_splits
    from ftaug.experiment_file import load

    kept = load_splits(load(tmp_path / "b.yaml", ["data.val=null"]).data, 0)["train"]
    source = load_splits(load(desk / "places.yaml").data, 0)["train"]
    assert kept.targets.tobytes() == source.targets.tobytes()
