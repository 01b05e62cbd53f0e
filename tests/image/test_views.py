"""Evaluation in several views: the windows of torchvision, their answers averaged."""

import json

import numpy as np
import pytest
from pictures import preprocessing, texture
from PIL import Image
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from ftaug.cli import run
from ftaug.engine.measure import over_views
from ftaug.image import samples

KINDS = {"flip": 2, "five_crop": 5, "ten_crop": 10}
EXPERIMENT = """
data: {train: {image_folder: {path: photos}}, val: {split: 40%}, batch_size: 4, workers: 0}
backbone: {resnet18: {weights: none}}
train: {epochs: 1}
lr: {peak: 1e-3}
"""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(90, 120), (120, 77), (64, 64)])
def test_views_are_torchvisions(kind, shape):
    picture = texture(*shape)
    pipeline = samples.pipeline((), preprocessing(48, resize=56, views=kind))
    found = samples.prepare(picture, pipeline, None)
    image = functional.resize(Image.fromarray(picture), 56)
    crops = {
        "flip": lambda: [functional.center_crop(image, 48), functional.hflip(functional.center_crop(image, 48))],
        "five_crop": lambda: v2.FiveCrop(48)(image),
        "ten_crop": lambda: v2.TenCrop(48)(image),
    }[kind]()
    if kind == "ten_crop":  # torchvision's last five are the corners of the mirrored picture
        crops = [crops[i] for i in (0, 1, 2, 3, 4, 6, 5, 8, 7, 9)]
    expected = np.stack([np.asarray(crop) for crop in crops])
    assert found.shape == expected.shape == (KINDS[kind], 48, 48, 3)
    assert np.abs(found.astype(int) - expected).max() <= 1


def test_a_batch_holds_all_views_of_a_sample_together():
    pipeline = samples.pipeline((), preprocessing(16, views="ten_crop"))
    batch = samples.collate([samples.prepare(texture(20, 30, seed=seed), pipeline, None) for seed in range(3)])
    assert batch.shape == (30, 3, 16, 16)
    answers = batch.float().mean(dim=(2, 3))
    np.testing.assert_allclose(over_views(answers, 3).numpy(), answers.view(3, 10, 3).mean(1).numpy())


def test_training_sees_one_view():
    pipeline = samples.pipeline((), preprocessing(16))
    assert samples.prepare(texture(20, 30), pipeline, None).shape == (16, 16, 3)


def test_commands_average_the_views(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(5):
            Image.fromarray(texture(60, 90, seed=number)).save(tmp_path / "photos" / name / f"{number}.png")
    (tmp_path / "a.yaml").write_text(EXPERIMENT)
    assert run(["train", "a.yaml", "--run-dir", "run", "evaluate.views=flip", "--device", "cpu"]) == 0
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
