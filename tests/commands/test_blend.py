"""`ftaug blend` and `ftaug soup`: weights mixed of several, chosen by what they are worth."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

from ftaug.cli import run

HEAD = "fc"
TEXTS = """
modality: text
data: {train: {docstrings: {per_class: 4}}, val: {split: 20%}, batch_size: 8, workers: 0}
backbone: {tiny_text: {weights: none, max_length: 12}}
train: {epochs: 1, precision: fp32}
"""


def train(desk, folder, *overrides):
    return run(["train", str(desk / "colors.yaml"), "--run-dir", str(folder), "--device", "cpu", *overrides])


def weights(folder):
    return load_file(folder / "best" / "model.safetensors")


def account(folder, name):
    return json.loads((folder / "report" / f"{name}.json").read_text())


def score(folder, capsys):
    capsys.readouterr()
    assert run(["evaluate", str(folder), "--split", "val", "--json"]) == 0
    return json.loads(capsys.readouterr().out)["metrics"]["accuracy"]


def learns(name):
    return "running" not in name and "num_batches" not in name


@pytest.fixture(scope="module")
def started(desk, tmp_path_factory):
    """A run that starts from another run's weights, head and all."""
    folder = tmp_path_factory.mktemp("mixing")
    assert train(desk, folder / "run", "--from", str(desk / "run"), "train.epochs=1") == 0
    return folder


def test_a_blend_lies_between_the_first_and_the_last_weights(desk, started, place, capsys):
    assert run(["blend", str(started / "run"), "--alpha", "0.25", "-o", str(place / "blend")]) == 0
    assert capsys.readouterr().out == f"{place / 'blend'}\n"
    start, end, found = weights(desk / "run"), weights(started / "run"), weights(place / "blend")
    for name in filter(learns, end):
        np.testing.assert_allclose(found[name], 0.75 * start[name] + 0.25 * end[name], rtol=1e-5, atol=1e-6)
    said = account(place / "blend", "blend")
    assert said["head_is_blended"] and said["alpha"] == 0.25
    assert [row["norms"] for row in said["blends"]] == ["mixed", "measured anew"]
    assert (place / "blend" / "report" / "blend.png").stat().st_size > 1000
    best = max(row["metrics"]["f1"] for row in said["blends"])
    assert json.loads((place / "blend" / "complete.json").read_text())["metrics"]["f1"] == best


def test_a_fresh_head_is_not_blended(desk, place, capsys):
    assert run(["blend", str(desk / "run"), "--alpha", "0", "--alpha", "0.5", "-o", str(place / "blend")]) == 0
    assert "every blend has the head of the trained run" in capsys.readouterr().err
    end, found = weights(desk / "run"), weights(place / "blend")
    own = [name for name in end if name.startswith(HEAD)]
    assert own and all(np.array_equal(end[name], found[name]) for name in own)


def test_the_end_of_a_sweep_is_the_run(started, place, capsys):
    assert run(["blend", str(started / "run"), "--alpha", "1", "-o", str(place / "blend"), "--json"]) == 0
    end, found = weights(started / "run"), weights(place / "blend")
    assert all(np.array_equal(end[name], found[name]) for name in end)
    assert json.loads(capsys.readouterr().out)["blend"]["blends"][0]["norms"] is None
    assert score(place / "blend", capsys) == score(started / "run", capsys)


def test_a_soup_is_the_mean_of_its_ingredients_and_no_worse_than_any(desk, started, place, capsys):
    assert train(desk, place / "other", "lr.peak=8e-3", "train.epochs=3") == 0
    runs = [desk / "run", place / "other", started / "run"]
    assert run(["soup", *map(str, runs), "-o", str(place / "soup")]) == 0
    said = account(place / "soup", "soup")
    parts = [weights(next(one for one in runs if str(one) == name)) for name in said["ingredients"]]
    found = weights(place / "soup")
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
    for command in (["evaluate"], ["export", "--format", "onnx"], ["inspect"]):
        assert run([command[0], str(place / "soup"), *command[1:]]) == 0


def test_what_a_method_added_is_folded_in(desk, place):
    assert train(desk, place / "run", "method=lora", "unfreeze=[head]", "train.epochs=1") == 0
    assert run(["blend", str(place / "run"), "--alpha", "0.5", "-o", str(place / "blend")]) == 0
    plain = weights(desk / "run")
    assert {name: value.shape for name, value in weights(place / "blend").items()} == {
        name: value.shape for name, value in plain.items()
    }
    assert run(["evaluate", str(place / "blend")]) == 0


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
    assert train(desk, place / "other", "train.epochs=1", *overrides) == 0
    assert run(["soup", str(desk / "run"), str(place / "other"), "-o", str(place / "soup")]) == 2
    assert message in capsys.readouterr().err
    assert not (place / "soup").exists()


def test_one_run_is_no_soup(desk, capsys):
    assert run(["soup", str(desk / "run"), str(desk / "run")]) == 2
    assert "a soup needs two or more different runs; for a single run, try `ftaug blend RUN`" in capsys.readouterr().err
    assert run(["soup", str(desk / "run"), str(desk / "nothing")]) == 66
    assert run(["blend", str(desk / "nothing")]) == 66


def test_a_soup_measures_on_no_sample_that_an_ingredient_was_trained_on(desk, tmp_path, capsys):
    own_val = ("data.val={image_folder: {path: photos/test}}", "data.test={split: 20%}", "train.epochs=1")
    for seed in (1, 2):
        assert train(desk, tmp_path / f"run{seed}", f"seed={seed}", *own_val) == 0
    capsys.readouterr()
    runs = [str(tmp_path / "run1"), str(tmp_path / "run2")]
    assert run(["soup", *runs, "-o", str(tmp_path / "soup")]) == 2
    err = capsys.readouterr().err
    assert "test: " in err and f"are held out by {runs[0]} and among those that {runs[1]} was trained on" in err
