"""`train.swa`: the mean of the weights of the last part of training, with BatchNorm's statistics of its own."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file

from ftaug.cli import run

SHORT = ["train.epochs=4", "data.batch_size=16", "train.swa=50%"]


def train(desk, folder, *overrides):
    return run(["train", str(desk / "colors.yaml"), "--run-dir", str(folder), "--device", "cpu", *SHORT, *overrides])


def newest(folder, name):
    return load_file(sorted((folder / "checkpoints").iterdir())[-1] / f"{name}.safetensors")


def learns(name):
    return "running" not in name and "num_batches" not in name


@pytest.mark.parametrize("val", ["{split: 20%}", "null"])
def test_what_is_kept_is_an_average_with_statistics_of_its_own(desk, place, val):
    assert train(desk, place / "run", f"data.val={val}") == 0
    model, average = newest(place / "run", "model"), newest(place / "run", "ema")
    assert any(not np.array_equal(model[name], average[name]) for name in model if learns(name))
    means = [name for name in model if name.endswith("running_mean")]
    assert means and all(not np.allclose(model[name], average[name], rtol=1e-6) for name in means)


def test_frozen_norms_keep_their_statistics(desk, place):
    assert train(desk, place / "run", "unfreeze=[layer3, head]") == 0
    model, average = newest(place / "run", "model"), newest(place / "run", "ema")
    frozen = [name for name in model if name.startswith(("conv1", "bn1", "layer1", "layer2"))]
    assert frozen and all(np.array_equal(model[name], average[name]) for name in frozen)


def test_it_goes_on_where_it_was_with_the_same_bits(desk, place):
    assert train(desk, place / "whole", "train.save_every=1 steps") == 0
    shutil.copytree(place / "whole", place / "cut", symlinks=True)
    (place / "cut" / "complete.json").unlink()
    shutil.rmtree(sorted((place / "cut" / "checkpoints").iterdir())[-1])
    assert train(desk, place / "cut", "train.save_every=1 steps") == 0
    one, other = newest(place / "whole", "ema"), newest(place / "cut", "ema")
    assert all(np.array_equal(one[name], other[name]) for name in one)
    whole, cut = (json.loads((place / name / "complete.json").read_text()) for name in ("whole", "cut"))
    assert whole == cut


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["train.ema=0.9"], "train.swa and train.ema both average the weights; leave one out"),
        (["train.swa=100%"], "train.swa must begin before training ends (4 epochs); got 100%"),
        (["train.swa=soon"], "train.swa must be a duration such as 5%, 2 epochs or 300 steps, or null; got soon"),
    ],
)
def test_what_cannot_be_is_said(desk, place, capsys, overrides, message):
    assert train(desk, place / "run", *overrides) == 2
    assert message in capsys.readouterr().err
