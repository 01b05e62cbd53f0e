"""The report of `ftaug inspect`, as JSON values and as text."""

from types import SimpleNamespace

import numpy as np
import pytest
from torch import nn

from ftaug.engine.loading.split import DataSplit
from ftaug.engine.training.parameter_summary import Row
from ftaug.errors import BadSample
from ftaug.interfaces.data import Task
from ftaug.interfaces.model import Backbone, TrainingLength
from ftaug.runs.data_check import Unreadable
from ftaug.runs.report import inspection

LENGTH = TrainingLength(total_steps=40, epoch_steps=4)
EXPERIMENT = SimpleNamespace(backbone=SimpleNamespace(name="net"))


def row(stage, **changes):
    values = {
        "stage": stage, "parameters": 1000, "from_step": 0, "lr_factor": 1.0, "changes": (), "rate_at_start": 0.0125,
        "rate_at_peak": 0.1, "weight_decay": 0.02, "exempt": 0, "batch_norms": 0, "batch_norms_learn_from": None,
    }  # fmt: skip
    return Row(**{**values, **changes})


ROWS = [
    row("stem", from_step=None, batch_norms=1),
    row("body", from_step=10, parameters=90, exempt=90, batch_norms=2, batch_norms_learn_from=10),
    row("head", parameters=10, exempt=4, batch_norms=3, batch_norms_learn_from=0),
]


@pytest.fixture
def data(monkeypatch):
    monkeypatch.setattr(inspection, "notes_of", lambda data: ["3 hidden files ignored"])
    modality = SimpleNamespace(described=lambda preprocessing: f"{preprocessing['size']} pixels")
    monkeypatch.setattr(inspection, "modality_of", lambda experiment: modality)
    task = Task(("a", "b"))
    return {
        name: DataSplit(name, None, np.arange(n), np.zeros(n, int), task) for name, n in (("train", 1200), ("val", 7))
    }


def backbone(stored=None, **facts):
    return Backbone(nn.Identity(), (), {"size": 32}, lambda: None, facts=facts, stored=stored)


def lines(capsys, data, **options):
    inspection.show(data, backbone(**options), EXPERIMENT, ROWS, LENGTH, ["[a] caution"], "MIT")
    return [line.strip() for line in capsys.readouterr().out.splitlines()]


def test_values(data):
    report = inspection.as_json(data, backbone(weights="imagenet", stored=lambda: False), ROWS, LENGTH, "MIT")
    assert report["data"] == {"train": 1200, "val": 7}
    assert report["notes"] == ["3 hidden files ignored"]
    assert (report["weights"], report["weights_license"], report["weights_stored"]) == ("imagenet", "MIT", False)
    assert report["steps"] == {"total": 40, "per_epoch": 4}
    assert (report["parameters"], report["trainable"]) == (1100, 100)
    assert [stage["from_step"] for stage in report["stages"]] == [None, 10, 0]


def test_the_head_of_the_text(data, capsys):
    text = lines(capsys, data, weights="none", notes=["head is new"])
    assert text[:7] == [
        "data      1,200 train, 7 val samples of 2 classes",
        "note      3 hidden files ignored",
        "caution   [a] caution",
        "backbone  net, weights: none",
        "weights   head is new",
        "input     32 pixels",
        "length    40 steps, 4 an epoch",
    ]


def test_a_row_says_what_learns_when_and_how_fast(data, capsys):
    text = lines(capsys, data, weights="none")
    stem, body, head = (next(line.split(maxsplit=1)[1] for line in text if line.startswith(r.stage)) for r in ROWS)
    assert stem.split() == ["1,000", "frozen", "1,", "statistics", "fixed"]
    assert "from step 10 (epoch 2.5)" in body and " none " in body
    assert body.endswith("2, statistics fixed until step 10")
    assert "from the start" in head and "0.0125" in head and "0.02 (not on 4)" in head
    assert head.endswith("3, statistics follow the data")
    assert text[-1] == "1,100 parameters; 100 trainable (9.1%), 10 of them from the start"


@pytest.mark.parametrize(
    ("stored", "words"),
    [(None, "w"), (lambda: True, "w (on this machine)"), (lambda: False, "w (not on this machine: ")],
)
def test_whether_the_weights_are_stored(data, capsys, stored, words):
    (line,) = [line for line in lines(capsys, data, weights="w", stored=stored) if line.startswith("backbone")]
    assert line.startswith(f"backbone  net, weights: {words}")


def test_weights_have_a_license(data, capsys):
    assert "license   MIT, of these weights" in lines(capsys, data, weights="w")


def test_an_unreadable_sample_is_named_once():
    bad = Unreadable(split="train", name="a.jpg", position=3, error=BadSample("a.jpg: an empty file"))
    assert inspection.bad_sample(bad) == {"split": "train", "sample": "a.jpg", "error": "an empty file"}
