"""`ftaug lr-find`: suggestions for several kinds of experiment; nothing but the picture is left."""

import json
from pathlib import Path

import pytest
import torch

from ftaug.cli import run
from ftaug.engine.loading.split import load_splits
from ftaug.engine.training.build import build
from ftaug.engine.training.lr_find import sweep
from ftaug.experiment_file import load

TEXTS = """
modality: text
data: {train: {docstrings: {per_class: 4}}, val: {split: 20%}, batch_size: 8, workers: 0}
backbone: {tiny_text: {weights: none, max_length: 12}}
"""


def found(desk, capsys, *arguments):
    capsys.readouterr()
    assert run(["lr-find", str(desk / "colors.yaml"), "--steps", "30", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    return place


@pytest.mark.usefixtures("drawn_plots")
def test_a_picture_is_all_that_is_left_and_the_figures_are_the_same_again(desk, here, capsys):
    before = sorted(desk.rglob("*"))
    first = found(desk, capsys)
    assert sorted(desk.rglob("*")) == before
    assert [path.name for path in Path().iterdir() if path.is_file()] == ["colors-lr-find.png"]
    assert found(desk, capsys, "-o", "again.png") == first | {"picture": "again.png"}
    assert Path("again.png").stat().st_size > 5000
    assert first["rates"][0] == pytest.approx(1e-6)
    assert len(first["rates"]) == len(first["losses"]) == len(first["smoothed"]) >= 10
    assert first["suggestions"].keys() == {"steepest", "minimum / 10", "valley"}
    assert float(f"{sorted(first['suggestions'].values())[1]:.1e}") == first["lr"]


@pytest.mark.parametrize(
    "overrides",
    [
        ["unfreeze=[layer3, head]", "lr.layer_decay=0.5"],
        ["method=lora", "unfreeze=[head]"],
        ["mix=mixup", "train.ema=0.9", "data.batch_size=4", "train.gradient_accumulation=2"],
        ["unfreeze=[{layers: [head]}, {from: 1 epoch, layers: [layer3]}]", "train.cache_features=auto"],
    ],
)
def test_it_follows_the_experiment(desk, here, capsys, overrides):
    assert found(desk, capsys, *overrides)["lr"] > 0


def test_texts(here, capsys):
    Path("texts.yaml").write_text(TEXTS)
    assert run(["lr-find", "texts.yaml", "--steps", "20", "--to", "1e-2"]) == 0
    shown = capsys.readouterr().out
    assert "20 steps from 1e-06 on" in shown and "try lr.peak=" in shown and "minimum / 10" in shown


def test_all_is_as_it_was(desk, place):
    experiment = load(desk / "colors.yaml", ["optimizer=sgd"])
    state = build(experiment, "cpu", load_splits(experiment.data, experiment.seed), pretrained=True)
    before = {name: tensor.clone() for name, tensor in state.model.state_dict().items()}
    drawn = torch.get_rng_state()
    curve = sweep(state, 1e-4, 1e-1, 20)
    assert curve.losses.std() > 0
    assert all(torch.equal(tensor, before[name]) for name, tensor in state.model.state_dict().items())
    assert not state.optimizer.state
    assert torch.equal(torch.get_rng_state(), drawn)
    assert state.experiment == experiment


def test_what_cannot_be_is_said(desk, here, capsys):
    line = ["lr-find", str(desk / "colors.yaml")]
    assert run([*line, "--from", "1", "--to", "0.1"]) == 2
    assert "--from must be greater than 0 and less than --to; got 1 and 0.1" in capsys.readouterr().err
    assert run([*line, "--steps", "3"]) == 2
    assert run([*line, "optimizer=sgd", "--from", "1e20", "--to", "1e30"]) == 3
    assert "the loss is not finite after" in capsys.readouterr().err
    assert not list(Path().glob("*.png"))
