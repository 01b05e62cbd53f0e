"""Prediction of unlabeled samples: in order, in batches, lazily, with an error for each that cannot be read."""

from itertools import count, islice
from types import SimpleNamespace

import numpy as np
import pytest
from processes import in_ranks

from ftaug.engine.system.ranks import ALONE
from ftaug.errors import BadData
from ftaug.experiment_file import load
from ftaug.interfaces.data import Input
from ftaug.runs.prediction import predict

PREPROCESSING = {"mean": [0.5] * 3, "std": [0.5] * 3, "size": [4, 4], "resize": None, "interpolation": "bilinear"}


@pytest.fixture
def model(tmp_path):
    """A model that predicts the mean level of a picture, three in a batch; `model.sizes` are those of its batches."""
    (tmp_path / "a.yaml").write_text("data: {train: digits}\nbackbone: resnet20\n")
    sizes = []

    def mean_level(batch, samples):
        sizes.append(samples)
        assert len(batch) == samples
        return batch.float().mean(dim=(1, 2, 3), keepdim=True)[:, :, 0, 0].numpy()

    return SimpleNamespace(
        experiment=load(tmp_path / "a.yaml"),
        preprocessing=PREPROCESSING,
        batch_size=3,
        predict_batch=mean_level,
        probabilities=lambda logits: 2 * logits,
        sizes=sizes,
        ranks=ALONE,
    )


def gray(level):
    return Input(f"gray {level}", lambda: np.full((4, 4, 3), level, np.uint8))


def broken():
    raise BadData("not a picture")


def test_every_input_has_its_own_prediction_in_order(model):
    results = list(predict(model, map(gray, range(0, 70, 10))))
    assert [(result.name, float(result.logits[0]), float(result.output[0])) for result in results] == [
        (f"gray {i}", i, 2 * i) for i in range(0, 70, 10)
    ]
    assert model.sizes == [3, 3, 1]


def test_an_unreadable_input_has_its_error_and_the_others_their_outputs(model):
    results = list(predict(model, [gray(0), Input("a", broken), gray(1), *(Input(name, broken) for name in "bcd")]))
    assert [result.name for result in results] == ["gray 0", "a", "gray 1", "b", "c", "d"]
    assert [result.error for result in results] == [None, "not a picture", None, *["not a picture"] * 3]
    assert [float(result.output[0]) for result in results if result.output is not None] == [0, 2]
    assert model.sizes == [2], "a batch without a readable input is not computed"


def test_endless_inputs_are_read_a_batch_at_a_time(model):
    levels = count()
    results = predict(model, (gray(next(levels)) for _ in iter(int, 1)))
    assert [float(result.output[0]) for result in islice(results, 4)] == [0, 2, 4, 6]
    assert next(levels) == 6


def test_processes_take_turns_and_have_the_predictions_of_all(model, tmp_path):
    inputs = [gray(level) for level in range(10)]
    inputs[3:6] = [Input(name, broken) for name in "abc"]  # the whole second batch
    inputs[8] = Input("d", broken)

    def rows():
        predictions = predict(model, inputs)
        return [(each.name, each.error, None if each.output is None else each.output[0]) for each in predictions]

    def action(ranks):
        model.ranks = ranks
        return rows(), model.sizes

    first, second = in_ranks(tmp_path, 2, action)
    assert first[0] == second[0] == rows()
    assert (first[1], second[1]) == ([3, 2], [1])
