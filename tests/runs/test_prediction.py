"""Prediction of unlabeled samples: in order, in batches, lazily, with an error for each that cannot be read."""

from itertools import count, islice
from types import SimpleNamespace

import numpy as np
import pytest

from ftaug.errors import BadData
from ftaug.interfaces.data import Input
from ftaug.runs import prediction
from ftaug.runs.prediction import Prediction, predict


@pytest.fixture
def model(monkeypatch):
    """A model that doubles numbers, three in a batch; `model.sizes` are those of its batches."""
    modality = SimpleNamespace(
        pipeline=lambda augment, preprocessing: preprocessing["offset"],
        prepare=lambda raw, pipeline, streams: (np.array(raw + pipeline), None),
        collate=np.stack,
    )
    monkeypatch.setattr(prediction, "modality_of", lambda experiment: modality)
    monkeypatch.setattr(prediction, "evaluation_preprocessing", lambda experiment, preprocessing: preprocessing)
    sizes = []

    def answer(batch, samples):
        sizes.append(samples)
        assert len(batch) == samples
        return 2 * batch

    return SimpleNamespace(experiment=None, preprocessing={"offset": 100}, batch_size=3, answer=answer, sizes=sizes)


def number(value):
    return Input(f"number {value}", lambda: value)


def broken():
    raise BadData("no number")


def test_every_input_has_its_own_prediction_in_order(model):
    results = list(predict(model, map(number, range(7))))
    assert results == [Prediction(f"number {i}", 2 * (i + 100)) for i in range(7)]
    assert model.sizes == [3, 3, 1]


def test_an_unreadable_input_has_its_error_and_the_others_their_predictions(model):
    inputs = [number(0), Input("a", broken), number(1), Input("b", broken), Input("c", broken), Input("d", broken)]
    results = list(predict(model, inputs))
    assert [result.name for result in results] == ["number 0", "a", "number 1", "b", "c", "d"]
    assert [result.error for result in results] == [None, "no number", None, *["no number"] * 3]
    assert (results[0].answer, results[2].answer) == (200, 202)
    assert model.sizes == [2], "a batch without a readable input is not computed"


def test_endless_inputs_are_read_a_batch_at_a_time(model):
    numbers = count()
    inputs = (number(next(numbers)) for _ in iter(int, 1))
    assert [result.answer for result in islice(predict(model, inputs), 4)] == [200, 202, 204, 206]
    assert next(numbers) == 6
