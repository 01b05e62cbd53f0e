"""What `ftaug ablate` prints and plots."""

import dataclasses
import math

import numpy as np
from PIL import Image

from ftaug.runs.ablation.ablate import Ablation, VariantResult
from ftaug.runs.ablation.effects import effects
from ftaug.runs.ablation.variants import Variant
from ftaug.runs.report import ablation as report


def example(tmp_path, *, seeds=6, higher_is_better=True):
    differences = np.linspace([0.02, -0.05], [0.03, -0.04], seeds)
    tested = effects(differences, higher_is_better=higher_is_better)
    results = [
        VariantResult(Variant("rotate", "removed", ("~augment.0",)), tested[0]),
        VariantResult(Variant("mixup", "added", ("mix=mixup",)), tested[1]),
        VariantResult(Variant("train.ema", "removed", ("~train.ema",)), None, "the loss is not finite"),
    ]
    return Ablation(tmp_path, "accuracy", higher_is_better, range(seeds), [0.5] * seeds, results, ["a note"])


def test_the_table_and_the_verdict(tmp_path, capsys):
    report.show(example(tmp_path), tmp_path / "ablation.png")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "accuracy on validation: 0.5000, mean of 6 seeds; higher is better"
    (rotate,) = [line for line in lines if line.startswith(" rotate")]
    assert rotate.split() == ["rotate", "removed", "+0.0250", "+0.0200", "to", "+0.0300", "0.0312", "helps"]
    assert lines[-4:] == [
        "train.ema failed: the loss is not finite",
        "note: a note",
        "helps: rotate; hurts: mixup",
        f"plot: {tmp_path}/ablation.png",
    ]


def test_json_without_an_interval(tmp_path):
    value = report.as_json(example(tmp_path, seeds=3, higher_is_better=False), tmp_path / "ablation.png")
    rotate, _, failed = value["parts"]
    assert math.isnan(rotate["low"])
    assert (rotate["p"], rotate["verdict"]) == (0.25, None)
    assert len(rotate["by_seed"]) == 3
    assert failed == {
        "part": "train.ema",
        "change": "removed",
        "overrides": ["~train.ema"],
        "error": "the loss is not finite",
    }


def test_the_plot_is_drawn(tmp_path, drawn_plots):
    path = report.plot(example(tmp_path), tmp_path / "ablation.png")
    with Image.open(path) as image:
        assert image.width > 600
    nothing = dataclasses.replace(example(tmp_path), results=())
    assert report.plot(nothing, tmp_path / "empty.png").is_file()
