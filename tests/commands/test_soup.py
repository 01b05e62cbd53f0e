"""`ftaug soup`: the mean of the weights of several runs, of those that improve validation."""

import json

import numpy as np
import pytest
from run_files import best_weights, learns, read_report, train_colors

from ftaug.cli import run

TEXTS = """
modality: text
data: {train: {docstrings: {per_class: 4}}, val: {split: 20%}, batch_size: 8, workers: 0}
backbone: {tiny_text: {weights: none, max_length: 12}}
train: {epochs: 1, precision: fp32}
"""


def test_a_soup_is_the_mean_of_its_ingredients_and_no_worse_than_any(desk, started, place, capsys):
    assert train_colors(desk, place / "other", "lr.peak=8e-3", "train.epochs=3") == 0
    runs = [desk / "run", place / "other", started / "run"]
    assert run(["soup", *map(str, runs), "-o", str(place / "soup")]) == 0
    said = read_report(place / "soup", "soup")
    parts = [best_weights(next(one for one in runs if str(one) == name)) for name in said["ingredients"]]
    found = best_weights(place / "soup")
    for name in filter(learns, found):
        np.testing.assert_allclose(found[name], np.mean([part[name] for part in parts], axis=0), rtol=1e-4, atol=1e-6)
    alone = [row["metrics"]["f1"] for row in said["rows"][:3]]
    assert json.loads((place / "soup" / "complete.json").read_text())["metrics"]["f1"] >= max(alone)
    assert {row["norms"] for row in said["rows"][3:]} == {"mixed", "measured anew"}

    capsys.readouterr()
    assert run(["soup", *map(str, runs), "-o", str(place / "soup")]) == 0
    assert f"already complete: {place / 'soup'}" in capsys.readouterr().err
    assert run(["soup", *map(str, runs[:2]), "-o", str(place / "soup")]) == 2
    assert "holds another mix or a run; choose another --output" in capsys.readouterr().err
    for command in (["evaluate"], ["export", "--format", "safetensors"], ["inspect"]):
        assert run([command[0], str(place / "soup"), *command[1:]]) == 0


def test_texts_are_mixed_as_pictures_are(place):
    (place / "texts.yaml").write_text(TEXTS)
    for name, rate in (("one", "1e-3"), ("two", "2e-3")):
        assert run(["train", str(place / "texts.yaml"), "--run-dir", str(place / name), f"lr.peak={rate}"]) == 0
    assert run(["soup", str(place / "one"), str(place / "two")]) == 0
    assert run(["blend", str(place / "one-soup"), "--alpha", "0.5"]) == 0
    assert run(["predict", str(place / "one-soup-blend"), "a line of text"]) == 0


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["seed=1"], "its validation samples are not those of "),
        (["backbone={shufflenet_v2_x0_5: {weights: none}}"], "does not have the shape of that of "),
        (["data.val=null", "evaluate.best=f1"], "its experiment has no data.val, by which mixes are chosen"),
    ],
)
def test_runs_that_do_not_go_together_are_refused(desk, place, capsys, overrides, message):
    assert train_colors(desk, place / "other", "train.epochs=1", *overrides) == 0
    assert run(["soup", str(desk / "run"), str(place / "other"), "-o", str(place / "soup")]) == 2
    assert message in capsys.readouterr().err
    assert not (place / "soup").exists()


def test_one_run_is_no_soup(desk, capsys):
    assert run(["soup", str(desk / "run"), str(desk / "run")]) == 2
    assert "a soup needs two or more different runs; for a single run, try `ftaug blend RUN`" in capsys.readouterr().err
    assert run(["soup", str(desk / "run"), str(desk / "nothing")]) == 66


def test_a_soup_measures_on_no_sample_that_an_ingredient_was_trained_on(desk, tmp_path, capsys):
    own_val = ("data.val={image_folder: {path: photos/test}}", "data.test={split: 20%}", "train.epochs=1")
    for seed in (1, 2):
        assert train_colors(desk, tmp_path / f"run{seed}", f"seed={seed}", *own_val) == 0
    capsys.readouterr()
    runs = [str(tmp_path / "run1"), str(tmp_path / "run2")]
    assert run(["soup", *runs, "-o", str(tmp_path / "soup")]) == 2
    err = capsys.readouterr().err
    assert "test: " in err and f"are held out by {runs[0]} and among those that {runs[1]} was trained on" in err
