"""Predictions of inputs in batches, of which some cannot be read."""

from types import SimpleNamespace

import numpy as np

from ftaug.errors import BadData
from ftaug.experiment_file import load
from ftaug.interfaces.data import Input
from ftaug.runs.prediction import predict

PREPROCESSING = {"mean": [0.5] * 3, "std": [0.5] * 3, "size": [4, 4], "resize": None, "interpolation": "bilinear"}


def gray(level):
    return np.full((4, 4, 3), level, np.uint8)


def broken():
    raise BadData("not a picture")


def mean_level(batch, samples):
    assert len(batch) == samples <= 2
    return batch.float().mean(dim=(1, 2, 3), keepdim=True)[:, :, 0, 0].numpy()


def test_an_unreadable_input_has_its_error_and_the_others_their_outputs(tmp_path):
    (tmp_path / "a.yaml").write_text("data: {train: digits}\nbackbone: resnet20\n")
    model = SimpleNamespace(
        experiment=load(tmp_path / "a.yaml"), preprocessing=PREPROCESSING, batch_size=2, predict_batch=mean_level
    )
    inputs = [Input(str(level), lambda level=level: gray(level)) for level in (10, 20, 30)]
    inputs.insert(1, Input("broken.png", broken))
    results = list(predict(model, inputs))
    assert [result.name for result in results] == ["10", "broken.png", "20", "30"]
    assert [result.error for result in results] == [None, "not a picture", None, None]
    assert [float(result.output[0]) for result in results if result.output is not None] == [10, 20, 30]
