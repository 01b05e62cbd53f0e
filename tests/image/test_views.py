"""Evaluation in several views: their answers averaged. `test_evaluation.py` has the windows."""

import json

import numpy as np
import pytest
from pictures import preprocessing, texture
from PIL import Image

from ftaug.cli import run
from ftaug.engine.training.evaluate import over_views
from ftaug.image import samples

EXPERIMENT = """
data: {train: {image_folder: {path: photos}}, val: {split: 40%}, batch_size: 4, workers: 0}
backbone: {resnet18: {weights: none}}
train: {epochs: 1}
lr: {peak: 1e-3}
"""


def test_a_batch_holds_all_views_of_a_sample_together():
    pipeline = samples.pipeline((), preprocessing(16, views="ten_crop"))
    batch = samples.collate([samples.prepare(texture(20, 30, seed=seed), pipeline, None)[0] for seed in range(3)])
    assert batch.shape == (30, 3, 16, 16)
    answers = batch.float().mean(dim=(2, 3))
    np.testing.assert_allclose(over_views(answers, 3).numpy(), answers.view(3, 10, 3).mean(1).numpy())


def test_training_sees_one_view():
    pipeline = samples.pipeline((), preprocessing(16))
    assert samples.prepare(texture(20, 30), pipeline, None)[0].shape == (16, 16, 3)


def test_commands_average_the_views(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(5):
            Image.fromarray(texture(60, 90, seed=number)).save(tmp_path / "photos" / name / f"{number}.png")
    (tmp_path / "a.yaml").write_text(EXPERIMENT)
    assert run(["train", "a.yaml", "--run-dir", "run", "evaluate.tta=flip", "--device", "cpu"]) == 0
    capsys.readouterr()
    picture = texture(60, 90, seed=0)
    Image.fromarray(picture).save("plain.png")
    Image.fromarray(picture[:, ::-1]).save("mirrored.png")
    assert run(["predict", "run", "plain.png", "mirrored.png", "--json"]) == 0
    one, other = (prediction["predictions"] for prediction in json.loads(capsys.readouterr().out))
    assert one[0]["class"] == other[0]["class"]
    assert one[0]["probability"] == pytest.approx(other[0]["probability"], abs=2e-3)
    assert run(["evaluate", "run", "--json"]) == 0
    assert 0 <= json.loads(capsys.readouterr().out)["metrics"]["accuracy"] <= 1
